import { randomBytes } from "node:crypto";
import { DynamicMcpError } from "../../core/errors.ts";
import { SILENT, type Logger } from "../../core/source.ts";
import { entryUrl } from "../../machine/entries.ts";
import { createIds } from "../ids.ts";
import type { Store, StoreHealth } from "../store.ts";
import { createSqliteCalls } from "./calls.ts";
import { createSqliteChanges } from "./changes.ts";
import { createSqliteChannels } from "./channels.ts";
import { createSqliteItems } from "./items.ts";
import { SCHEMA_VERSION } from "./migrations.ts";
import { preparePlace, whyNotWritable, type StorePlace } from "./place.ts";
import { createSqliteLists } from "./lists.ts";
import { SqliteReader } from "./reader.ts";
import { createSqliteResults } from "./results.ts";
import { createSqliteSecrets } from "./secrets.ts";
import { createSqliteSignals } from "./signals.ts";
import { createWriteQueue, type WriteQueue } from "./write-queue.ts";
import type { WriteName } from "./writes.ts";

export interface SqliteStoreOptions {
  log?: Logger;
  /** Milliseconds since 1970; for ids and for keys. */
  now?: () => number;
  /** Longest wait of a write while another process holds the lock, in ms (> 0). */
  lockWaitMs?: number;
  /** The writing thread ends after so long without a write, in ms. */
  writerIdleMs?: number;
  /** Rows of the change feed that are kept, at least. A process that slept through more sees every item as changed. */
  changesKept?: number;
  /** Program of the writing thread. */
  writer?: URL;
}

const KEY_BYTES = 32;
/** A disk that failed is tried again at most so often, in ms. */
const PROBE_MS = 2_000;
const ITEM_WRITES: readonly WriteName[] = ["createItem", "updateItem", "removeItem"];

/**
 * The store of one machine: one file, several processes. Opening reads a few pages; a fresh store is made by the first
 * write, an older one is brought up to date here.
 *
 * @throws STORE_UNAVAILABLE when the folder cannot be made, the file cannot be read or a newer version wrote it
 * @throws STORE_DAMAGED when the file is not ours or not readable; it is left as it is
 */
export async function createSqliteStore(options: StorePlace & SqliteStoreOptions): Promise<Store> {
  const { log = SILENT, now = Date.now } = options;
  const file = preparePlace(options);
  const reader = new SqliteReader(file, log);
  const queue = createWriteQueue({
    file,
    log,
    writer: options.writer ?? entryUrl("sqlite-writer"),
    lockWaitMs: options.lockWaitMs ?? 10_000,
    idleMs: options.writerIdleMs ?? 60_000,
    changesKept: options.changesKept ?? 5_000,
    onCommit(names) {
      // A fresh store has a file now: held open from here on, it can be read even when it is taken away.
      reader.peek(() => undefined, undefined);
      if (ITEM_WRITES.some((name) => names.has(name))) changes.look();
    },
  });
  try {
    await reader.read(() => undefined, undefined);
    if (reader.schemaVersion > 0 && reader.schemaVersion < SCHEMA_VERSION) {
      log.info({ file, from: reader.schemaVersion, to: SCHEMA_VERSION }, "bringing the store up to date");
      await queue.write("probe", null);
    }
  } catch (error) {
    reader.close();
    await queue.close();
    throw error;
  }
  const changes = createSqliteChanges(reader, log);
  const items = createSqliteItems(reader, queue, createIds(now));

  return {
    items,
    changes,
    calls: createSqliteCalls(reader, queue),
    channels: createSqliteChannels(reader, queue, log),
    secrets: createSqliteSecrets(reader, queue),
    results: createSqliteResults(reader, queue),
    lists: createSqliteLists(reader, queue),
    signals: createSqliteSignals(reader, queue),

    async sharedKey(name) {
      const kept = await reader.read((tables) => tables.get("SELECT key FROM keys WHERE name = ?", name), undefined);
      const at = new Date(now()).toISOString();
      const key = kept?.["key"] ?? (await queue.write("keepKey", { name, key: randomBytes(KEY_BYTES), at }));
      if (key instanceof Uint8Array && key.length === KEY_BYTES) return key;
      throw new DynamicMcpError(
        "STORE_DAMAGED",
        `the shared key ${name} in ${file} is not whole; delete its row in keys`,
      );
    },

    health: createHealth(file, reader, queue, items.tally),

    async close() {
      await queue.drain();
      changes.close();
      reader.close();
      // The writer's connection is the last one, so the log is merged into the file on its thread, not on ours.
      await queue.close();
    },
  };
}

function createHealth(
  file: string,
  reader: SqliteReader,
  queue: WriteQueue,
  tally: () => Promise<{ items: number; quarantined: number }>,
): () => Promise<StoreHealth> {
  let probedAt = -Infinity;
  return async () => {
    const counts = await tally().catch((error: Error) => error);
    const problem = counts instanceof Error ? counts.message : (queue.problem ?? whyNotWritable(file));
    if (queue.problem !== undefined && performance.now() - probedAt > PROBE_MS) {
      probedAt = performance.now();
      // Not waited for: the next look sees whether it went well.
      queue.write("probe", null).catch(() => undefined);
    }
    return {
      backend: "sqlite",
      location: file,
      schemaVersion: reader.schemaVersion || SCHEMA_VERSION,
      isWritable: problem === undefined,
      ...(problem === undefined ? {} : { problem }),
      ...(counts instanceof Error ? { items: 0, quarantined: 0 } : counts),
    };
  };
}
