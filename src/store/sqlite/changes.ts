import { watch, type FSWatcher } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "../../core/source.ts";
import type { Change, ChangeFeed, StoredKind } from "../store.ts";
import type { Row, SqliteReader, Tables } from "./reader.ts";

/** Within the second that is promised, and cheap: a few us each. `fs.watch` alone misses some changes. */
const POLL_MS = 250;
/** A busy writer touches the folder thousands of times per second; one look answers many of them. */
const WATCH_MS = 10;

export interface SqliteChanges extends ChangeFeed {
  /** Looks now: after a commit of our own. */
  look(): void;
  close(): void;
}

/**
 * Reads `changes` by sequence. Sequences are given under SQLite's write lock, so their order is that of the commits and
 * the last one seen is all there is to remember. Where rows are missing, because the process slept until they were
 * trimmed or the file was replaced, every item is reported once.
 */
export function createSqliteChanges(reader: SqliteReader, log: Logger): SqliteChanges {
  const listeners = new Set<(changes: readonly Change[]) => void>();
  let seen = reader.peek(newest, 0);
  let version = -1;
  let generation = reader.generation;
  let poll: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  let soon: NodeJS.Timeout | undefined;

  function look(): void {
    if (listeners.size === 0) return;
    const changes = reader.peek(fresh, []);
    if (changes.length === 0) return;
    seen = changes.at(-1)?.seq ?? seen;
    for (const listener of [...listeners]) {
      try {
        listener(changes);
      } catch (error) {
        log.error({ err: error }, "a listener of the store's changes failed");
      }
    }
  }

  function fresh(tables: Tables): Change[] {
    const isOther = generation !== reader.generation;
    const current = tables.version();
    if (!isOther && current === version) return [];
    const rows = isOther
      ? everything(tables)
      : tables.all("SELECT seq, kind, item, action FROM changes WHERE seq > ? ORDER BY seq", seen).map(change);
    [version, generation] = [current, reader.generation];
    const first = rows[0];
    return !isOther && first && first.seq > seen + 1 ? everything(tables) : rows;
  }

  function start(): void {
    [seen, version, generation] = [reader.peek(newest, seen), -1, reader.generation];
    poll = setInterval(look, POLL_MS).unref();
    try {
      watcher = watch(dirname(reader.file), { persistent: false }, () => {
        soon ??= setTimeout(() => {
          soon = undefined;
          look();
        }, WATCH_MS).unref();
      });
      watcher.on("error", (error) =>
        log.debug({ err: error }, "the data directory cannot be watched; polling goes on"),
      );
    } catch (error) {
      log.debug({ err: error }, "the data directory cannot be watched; polling goes on");
    }
  }

  function stop(): void {
    clearInterval(poll);
    clearTimeout(soon);
    soon = undefined;
    watcher?.close();
    watcher = undefined;
  }

  return {
    subscribe(listener) {
      if (listeners.size === 0) start();
      const own = (changes: readonly Change[]) => listener(changes);
      listeners.add(own);
      return () => {
        if (listeners.delete(own) && listeners.size === 0) stop();
      };
    },
    look,
    close() {
      listeners.clear();
      stop();
    },
  };
}

function newest(tables: Tables): number {
  return Number(tables.get("SELECT ifnull(max(seq), 0) AS seq FROM changes")?.["seq"] ?? 0);
}

function change(row: Row): Change {
  return {
    seq: Number(row["seq"]),
    topic: "items",
    kind: String(row["kind"]) as StoredKind,
    item: String(row["item"]),
    action: row["action"] === "remove" ? "remove" : "put",
  };
}

function everything(tables: Tables): Change[] {
  const rows = tables.all(
    `SELECT ? AS seq, kind, id AS item, CASE WHEN removed_at IS NULL THEN 'put' ELSE 'remove' END AS action
     FROM items ORDER BY id`,
    newest(tables),
  );
  return rows.map(change);
}
