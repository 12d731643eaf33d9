import type { CallRecord } from "../../core/call.ts";
import type { CallStore } from "../store.ts";
import type { SqliteReader } from "./reader.ts";
import type { WriteQueue } from "./write-queue.ts";

/** Rows deleted in one write, so that pruning never holds the lock for long. */
const PRUNED_AT_ONCE = 2_000;

export function createSqliteCalls(reader: SqliteReader, queue: WriteQueue): CallStore {
  return {
    async append(records) {
      if (records.length === 0) return;
      const rows = records.map((record) => ({
        id: record.id,
        at: record.at,
        name: record.name,
        principal: record.principal,
        record: JSON.stringify(record),
      }));
      await queue.write("appendCalls", rows);
    },

    recent: ({ limit, tool, since }) =>
      reader.read((tables) => {
        const where = tool === undefined ? "at >= ?" : "at >= ? AND name = ?";
        const values = tool === undefined ? [since ?? ""] : [since ?? "", tool];
        return tables
          .all(`SELECT record FROM calls WHERE ${where} ORDER BY at DESC, seq DESC LIMIT ?`, ...values, limit)
          .map(({ record }) => parse(String(record)))
          .filter((record) => record !== undefined);
      }, []),

    async prune(before) {
      let pruned = 0;
      for (let slice = PRUNED_AT_ONCE; slice === PRUNED_AT_ONCE; pruned += slice)
        slice = await queue.write("pruneCalls", { before, most: PRUNED_AT_ONCE });
      return pruned;
    },
  };
}

/** A damaged record is passed over: the others still tell what happened. */
function parse(text: string): CallRecord | undefined {
  try {
    return JSON.parse(text) as CallRecord;
  } catch {
    return undefined;
  }
}
