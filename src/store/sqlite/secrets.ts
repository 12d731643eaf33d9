import { refuseNul } from "../plain-text.ts";
import type { SecretStore } from "../store.ts";
import type { SqliteReader } from "./reader.ts";
import type { WriteQueue } from "./write-queue.ts";

export function createSqliteSecrets(reader: SqliteReader, queue: WriteQueue): SecretStore {
  return {
    async get(name) {
      const row = await reader.read(
        (tables) => tables.get("SELECT name, sealed, updated_at FROM secrets WHERE name = ?", name),
        undefined,
      );
      if (!row) return undefined;
      return { name: String(row["name"]), sealed: row["sealed"] as Uint8Array, updatedAt: String(row["updated_at"]) };
    },

    list: () =>
      reader.read(
        (tables) =>
          tables
            .all("SELECT name, updated_at FROM secrets ORDER BY name")
            .map((row) => ({ name: String(row["name"]), updatedAt: String(row["updated_at"]) })),
        [],
      ),

    async put(secret) {
      refuseNul(secret);
      await queue.write("putSecret", secret);
    },

    remove: (name) => queue.write("removeSecret", { name }),
  };
}
