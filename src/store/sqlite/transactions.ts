import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { DynamicMcpError, type ErrorCode } from "../../core/errors.ts";
import { fromSqlite, sqliteFault } from "./faults.ts";
import { migrate } from "./migrations.ts";
import { fileIdentity } from "./place.ts";
import { createRun, type Run } from "./run.ts";
import { WRITES, type WriteName, type WriteRequest } from "./writes.ts";

export interface TransactionOptions {
  file: string;
  /** Rows of `changes` that are kept, at least. */
  changesKept: number;
}

/** How a write ended; errors cross the threads as data. */
export type Reply =
  | { ok: true; gives: unknown }
  | { ok: false; code: ErrorCode | undefined; message: string; data: Record<string, unknown> };

export interface Transactions {
  /**
   * Performs all requests in one transaction. A request that is refused undoes nothing but itself; when the file or the
   * disk fails, nothing of the batch is kept and all get that answer. Waits for other processes' locks: for a thread of
   * its own.
   *
   * @param waitMs longest wait for the lock
   */
  perform(requests: readonly WriteRequest[], waitMs: number): Reply[];
  close(): void;
}

interface Connection {
  db: DatabaseSync;
  run: Run;
  identity: string | undefined;
  isDurable: boolean;
}

const TRIM_EVERY = 500;

export function createTransactions({ file, changesKept }: TransactionOptions): Transactions {
  let connection: Connection | undefined;
  let hadFile = fileIdentity(file) !== undefined;

  function connect(waitMs: number): Connection {
    const identity = fileIdentity(file);
    if (connection && connection.identity === identity) return connection;
    if (identity === undefined && hadFile)
      throw new DynamicMcpError(
        "STORE_UNAVAILABLE",
        `${file} was removed while it was in use; put it back, or restart to begin with an empty store`,
        { data: { file } },
      );
    close();
    connection = open(file, waitMs);
    hadFile = true;
    return connection;
  }

  function close(): void {
    const { db } = connection ?? {};
    connection = undefined;
    try {
      db?.close();
    } catch {
      // A connection in the middle of an error: what was committed is safe, the rest was never acknowledged.
    }
  }

  return {
    perform(requests, waitMs) {
      const startedAt = performance.now();
      try {
        const current = connect(waitMs);
        const isDurable = requests.some(({ name }) => WRITES[name].isDurable);
        beDurable(current, isDurable);
        current.db.exec(`PRAGMA busy_timeout = ${Math.ceil(waitMs)}`);
        current.db.exec("BEGIN IMMEDIATE");
        migrate(current.db, file);
        const replies = requests.map((request) => performOne(current, request));
        if (isDurable) trimChanges(current.run, changesKept);
        current.db.exec("COMMIT");
        current.identity ??= fileIdentity(file);
        return replies;
      } catch (error) {
        if (connection?.db.isTransaction) attempt(connection.db, "ROLLBACK");
        // A fresh connection forgets whatever state a failed disk has left behind.
        if (sqliteFault(error) !== "busy") close();
        const reply = refusal(fromSqlite(error, file, performance.now() - startedAt));
        return requests.map(() => reply);
      }
    },
    close,
  };
}

/** @throws whatever concerns the file or the disk, and so the whole batch */
function performOne({ db, run }: Connection, request: WriteRequest): Reply {
  db.exec("SAVEPOINT one");
  try {
    const gives = dispatch(run, request);
    db.exec("RELEASE one");
    return { ok: true, gives };
  } catch (error) {
    const fault = sqliteFault(error);
    if ((fault !== undefined && fault !== "too large") || !db.isTransaction) throw error;
    db.exec("ROLLBACK TO one; RELEASE one");
    return refusal(fault === undefined ? error : fromSqlite(error, ""));
  }
}

function dispatch<K extends WriteName>(run: Run, { name, takes }: WriteRequest<K>): unknown {
  return WRITES[name].perform(run, takes);
}

function open(file: string, waitMs: number): Connection {
  makeFile(file);
  const db = new DatabaseSync(file);
  try {
    db.exec(`PRAGMA busy_timeout = ${Math.ceil(waitMs)}`);
    useWal(db, waitMs);
    db.exec("PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 8388608");
    return { db, run: createRun(db), identity: fileIdentity(file), isDurable: false };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Only we may read it: it holds code and what was called. SQLite gives its helper files the same mode. */
function makeFile(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    // Somebody else made it first, or it cannot be made: SQLite's own error says more.
    void error;
  }
}

/** The busy timeout does not hold for this pragma: fresh files opened by several processes answer "locked" at once. */
function useWal(db: DatabaseSync, waitMs: number): void {
  const until = performance.now() + waitMs;
  for (;;) {
    try {
      db.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (sqliteFault(error) !== "busy" || performance.now() > until) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 20);
  }
}

function beDurable(connection: Connection, isDurable: boolean): void {
  if (connection.isDurable === isDurable) return;
  connection.db.exec(`PRAGMA synchronous = ${isDurable ? "FULL" : "NORMAL"}`);
  connection.isDurable = isDurable;
}

function trimChanges(run: Run, kept: number): void {
  const [first, last] = [run("SELECT min(seq) AS seq FROM changes")[0], run("SELECT max(seq) AS seq FROM changes")[0]];
  const [oldest, newest] = [Number(first?.["seq"] ?? 0), Number(last?.["seq"] ?? 0)];
  if (newest - oldest >= kept + TRIM_EVERY) run("DELETE FROM changes WHERE seq <= ?", newest - kept);
}

function attempt(db: DatabaseSync, sql: string): void {
  try {
    db.exec(sql);
  } catch {
    // SQLite has rolled back by itself.
  }
}

function refusal(error: unknown): Reply {
  if (error instanceof DynamicMcpError)
    return { ok: false, code: error.code, message: error.message, data: { ...error.data } };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { ok: false, code: undefined, message, data: {} };
}
