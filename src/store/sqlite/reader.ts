import { statSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { DynamicMcpError } from "../../core/errors.ts";
import type { Logger } from "../../core/source.ts";
import { fromSqlite, sqliteFault } from "./faults.ts";
import { readSchemaVersion } from "./migrations.ts";
import { fileIdentity, whyNotWritable } from "./place.ts";

export type Row = Record<string, SQLOutputValue>;

/** What a query may do: read, with statements that are prepared once. */
export interface Tables {
  all(sql: string, ...values: SQLInputValue[]): Row[];
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  /** Rows as arrays, in the order of the columns: three times as fast as `all` for ten thousand. */
  arrays(sql: string, ...values: SQLInputValue[]): SQLOutputValue[][];
  /** Changes when another connection, our own writer's included, has committed. */
  version(): number;
}

/** How often we look whether the file has been replaced or become writable, in ms. */
const LOOK_MS = 250;
/** Recovery after a crash and the last close of another process lock readers out for some ms. */
const BUSY_MS = 3_000;

interface Connection {
  db: DatabaseSync;
  tables: Tables;
  identity: string;
  /** 0 while somebody else is still making the tables. */
  schemaVersion: number;
  /** The file is read as if nobody could write it, because SQLite's helper files cannot be made beside it. */
  isImmutable: boolean;
}

/**
 * The connection of the main thread. It only reads and never waits for a lock while it blocks the thread. While there is
 * no file, or one without our tables, every query has an answer of its own: a fresh store costs nothing to open.
 */
export class SqliteReader {
  readonly file: string;
  readonly #log: Logger;
  #connection: Connection | undefined;
  #lookedAt = 0;
  #isClosed = false;
  #hadFile = false;
  /** Grows when the path leads to another file than before. */
  generation = 0;

  constructor(file: string, log: Logger) {
    this.file = file;
    this.#log = log;
  }

  /**
   * @param absent the answer while nothing is stored
   * @throws STORE_UNAVAILABLE when the file stays locked, cannot be opened, or after `close`; STORE_DAMAGED
   */
  async read<T>(query: (tables: Tables) => T, absent: T): Promise<T> {
    for (let waitMs = 1, waitedMs = 0; ; waitedMs += waitMs, waitMs = Math.min(waitMs * 2, 50)) {
      try {
        return this.#query(query, absent);
      } catch (error) {
        const fault = sqliteFault(error);
        // After an error of the disk the next query begins with a connection that knows nothing of it.
        if (fault !== undefined && fault !== "busy") this.#release();
        if (fault !== "busy" || waitedMs >= BUSY_MS) throw fromSqlite(error, this.file, waitedMs);
      }
      await wait(waitMs);
    }
  }

  /** The same at once. @returns `absent` also when the store cannot be read right now */
  peek<T>(query: (tables: Tables) => T, absent: T): T {
    try {
      return this.#isClosed ? absent : this.#query(query, absent);
    } catch (error) {
      this.#log.debug({ err: error, file: this.file }, "the store could not be read just now");
      return absent;
    }
  }

  /** Shape of the file at the time it was opened; 0 when there is none. */
  get schemaVersion(): number {
    return this.#connection?.schemaVersion ?? 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  #query<T>(query: (tables: Tables) => T, absent: T): T {
    if (this.#isClosed) throw new DynamicMcpError("STORE_UNAVAILABLE", "the store is closed");
    this.#look();
    this.#connection ??= this.#open();
    const connection = this.#connection;
    if (!connection) return absent;
    if (connection.schemaVersion === 0) connection.schemaVersion = readSchemaVersion(connection.db, this.file);
    return connection.schemaVersion === 0 ? absent : query(connection.tables);
  }

  /** A file that was removed is read on from the open descriptor; one that was put in its place is opened. */
  #look(): void {
    const now = performance.now();
    if (!this.#connection || now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    const identity = fileIdentity(this.file);
    const isReplaced = identity !== undefined && identity !== this.#connection.identity;
    if (isReplaced) this.generation++;
    if (isReplaced || (this.#connection.isImmutable && !whyNotWritable(this.file))) this.#release();
  }

  #open(): Connection | undefined {
    const identity = fileIdentity(this.file);
    if (identity === undefined && this.#hadFile)
      throw new DynamicMcpError("STORE_UNAVAILABLE", `${this.file} was removed while it was in use; put it back`, {
        data: { file: this.file },
      });
    if (identity === undefined) return undefined;
    this.#hadFile = true;
    this.#lookedAt = performance.now();
    try {
      return connect(this.file, identity, this.file, false);
    } catch (error) {
      const fault = sqliteFault(error);
      // Without -wal and -shm, and where they cannot be made, SQLite reads a file only when told that it cannot change.
      const isShut = fault === "cannot open" || fault === "read-only" || fault === "disk" || fault === "full";
      if (!isShut || walBytes(this.file) > 0) throw error;
      this.#log.warn({ err: error, file: this.file }, "the store is read as a file that cannot change");
      const url = pathToFileURL(this.file);
      url.searchParams.set("immutable", "1");
      return connect(url, identity, this.file, true);
    }
  }

  #release(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    try {
      connection?.db.close();
    } catch (error) {
      this.#log.debug({ err: error, file: this.file }, "the store did not close cleanly");
    }
  }
}

function connect(location: string | URL, identity: string, file: string, isImmutable: boolean): Connection {
  const db = new DatabaseSync(location);
  try {
    db.exec("PRAGMA busy_timeout = 0; PRAGMA query_only = 1");
    return { db, tables: createTables(db), identity, schemaVersion: readSchemaVersion(db, file), isImmutable };
  } catch (error) {
    db.close();
    throw error;
  }
}

function createTables(db: DatabaseSync): Tables {
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string, isArrays: boolean) => {
    const known = prepared.get(sql);
    if (known) return known;
    const statement = db.prepare(sql);
    statement.setReturnArrays(isArrays);
    prepared.set(sql, statement);
    return statement;
  };
  return {
    all: (sql, ...values) => prepare(sql, false).all(...values),
    get: (sql, ...values) => prepare(sql, false).get(...values),
    // The types of `node:sqlite` know nothing of setReturnArrays.
    arrays: (sql, ...values) => prepare(sql, true).all(...values) as unknown as SQLOutputValue[][],
    version: () => Number(prepare("PRAGMA data_version", false).get()?.["data_version"] ?? 0),
  };
}

function walBytes(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
