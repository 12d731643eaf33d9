import type { DatabaseSync } from "node:sqlite";
import { DynamicMcpError } from "../../core/errors.ts";

/** Marks a file as ours (`dmcp` in ASCII), so that another program's database is never touched. */
export const APPLICATION_ID = 0x646d6370;

/**
 * The way from an empty file to the present shape. Append only: what has been released is never edited, because stores
 * in the field are at every step. Step `n` (from 1) leaves `user_version` at `n`.
 *
 * Types and names are such that PostgreSQL can have the same: texts for times (ISO 8601) and JSON, 0 or 1 for booleans.
 * `items.place` is empty, the owner or the session, by reach, so that one index says where a live name is unique.
 * Rows of removed items stay for their revisions. Texts that other servers sent are bytes of UTF-8: they may be long, and
 * hold what a text column does not keep.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE items (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    reach TEXT NOT NULL,
    owner TEXT NOT NULL,
    session TEXT,
    place TEXT NOT NULL,
    revision INTEGER NOT NULL,
    is_enabled INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    removed_at TEXT,
    removed_by TEXT,
    summary TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX items_live_name ON items (kind, reach, place, key) WHERE removed_at IS NULL;
  CREATE INDEX items_live_key ON items (kind, key) WHERE removed_at IS NULL;

  CREATE TABLE revisions (
    item TEXT NOT NULL REFERENCES items (id),
    n INTEGER NOT NULL,
    name TEXT NOT NULL,
    is_enabled INTEGER NOT NULL,
    summary TEXT NOT NULL,
    body TEXT NOT NULL,
    digest TEXT NOT NULL,
    author TEXT NOT NULL,
    at TEXT NOT NULL,
    change TEXT NOT NULL,
    PRIMARY KEY (item, n)
  ) STRICT;

  CREATE TABLE channels (
    id TEXT NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL,
    protocol_version TEXT NOT NULL,
    initialize TEXT NOT NULL,
    log_level TEXT,
    subscriptions TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX channels_expiry ON channels (expires_at);

  CREATE TABLE calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    principal TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX calls_at ON calls (at);
  CREATE INDEX calls_name_at ON calls (name, at);

  CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    kind TEXT NOT NULL,
    item TEXT NOT NULL,
    action TEXT NOT NULL
  ) STRICT;

  CREATE TABLE keys (
    name TEXT NOT NULL PRIMARY KEY,
    key BLOB NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE results (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    handle TEXT NOT NULL UNIQUE,
    principal TEXT NOT NULL,
    tool TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    chars INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    text BLOB NOT NULL
  ) STRICT;
  CREATE INDEX results_principal ON results (principal);
  CREATE INDEX results_expiry ON results (expires_at);

  CREATE TABLE lists (
    server TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL,
    text BLOB NOT NULL
  ) STRICT;

  CREATE TABLE signals (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    query TEXT NOT NULL,
    tool TEXT NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (query, tool)
  ) STRICT;
  CREATE INDEX signals_at ON signals (at);
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Reads which step a file is at.
 *
 * @returns 0 for an empty file
 * @throws STORE_DAMAGED when it is another program's database, STORE_UNAVAILABLE when a newer version of ours made it
 */
export function readSchemaVersion(db: DatabaseSync, file: string): number {
  const version = pragma(db, "user_version");
  if (version > SCHEMA_VERSION) throw tooNew(file, version);
  if (pragma(db, "application_id") === APPLICATION_ID) return version;
  const { tables } = db.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() as { tables: number };
  if (tables === 0) return 0;
  throw new DynamicMcpError(
    "STORE_DAMAGED",
    `${file} is a SQLite database of another program; it was left as it is. Choose another data directory`,
    { data: { file } },
  );
}

/** Brings a file to the present shape. Runs inside the caller's transaction. */
export function migrate(db: DatabaseSync, file: string): void {
  const version = readSchemaVersion(db, file);
  if (version === SCHEMA_VERSION) return;
  for (const step of MIGRATIONS.slice(version)) db.exec(step);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
}

function pragma(db: DatabaseSync, name: "user_version" | "application_id"): number {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return Number(row?.[name] ?? 0);
}

function tooNew(file: string, version: number): DynamicMcpError {
  return new DynamicMcpError(
    "STORE_UNAVAILABLE",
    `${file} was written by a newer version of dynamic-mcp (its shape is ${version}, this version knows up to ` +
      `${SCHEMA_VERSION}); use that version, or another data directory`,
    { data: { file, schemaVersion: version, supported: SCHEMA_VERSION } },
  );
}
