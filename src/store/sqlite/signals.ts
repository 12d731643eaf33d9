import { refuseNul } from "../plain-text.ts";
import type { SignalStore } from "../store.ts";
import type { SqliteReader } from "./reader.ts";
import type { WriteQueue } from "./write-queue.ts";

export function createSqliteSignals(reader: SqliteReader, queue: WriteQueue): SignalStore {
  return {
    async add(signals) {
      if (signals.length === 0) return;
      for (const signal of signals) refuseNul(signal);
      await queue.write("addSignals", signals);
    },

    recent: (limit) =>
      reader.read(
        (tables) =>
          tables
            .all("SELECT query, tool, at FROM signals ORDER BY at DESC, seq DESC LIMIT ?", limit)
            .map((row) => ({ query: String(row["query"]), tool: String(row["tool"]), at: String(row["at"]) })),
        [],
      ),

    async prune(keep) {
      await queue.write("pruneSignals", { keep });
    },
  };
}
