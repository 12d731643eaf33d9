import { refuseNul } from "../plain-text.ts";
import type { ListStore } from "../store.ts";
import type { SqliteReader } from "./reader.ts";
import { bytesOf, textOf } from "./text-bytes.ts";
import type { WriteQueue } from "./write-queue.ts";

export function createSqliteLists(reader: SqliteReader, queue: WriteQueue): ListStore {
  return {
    async get(server, digest) {
      const row = await reader.read(
        (tables) => tables.get("SELECT text FROM lists WHERE server = ? AND digest = ?", server, digest),
        undefined,
      );
      return row && textOf(row["text"]);
    },

    async put(server, digest, text) {
      refuseNul({ server, digest });
      await queue.write("putList", { server, digest, text: bytesOf(text) });
    },

    async remove(server) {
      await queue.write("removeList", { server });
    },
  };
}
