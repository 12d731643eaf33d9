import { DynamicMcpError } from "../../core/errors.ts";
import { refuseNul } from "../plain-text.ts";
import type { ResultStore } from "../store.ts";
import type { SqliteReader } from "./reader.ts";
import { bytesOf, textOf } from "./text-bytes.ts";
import type { WriteQueue } from "./write-queue.ts";

/** Rows deleted in one write: each may be many megabytes, and the lock must not be held for long. */
const PRUNED_AT_ONCE = 50;

export function createSqliteResults(reader: SqliteReader, queue: WriteQueue): ResultStore {
  return {
    async put(result, text, { maxBytes }) {
      refuseNul(result);
      const bytes = bytesOf(text);
      if (bytes.byteLength > maxBytes)
        throw new DynamicMcpError(
          "TOO_LARGE",
          `a result of ${bytes.byteLength} bytes is not kept; the limit is ${maxBytes}`,
          {
            data: { bytes: bytes.byteLength, maxBytes },
          },
        );
      await queue.write("putResult", { result, text: bytes, maxBytes });
    },

    async get(handle, principal, now) {
      const row = await reader.read(
        (tables) =>
          tables.get(
            "SELECT * FROM results WHERE handle = ? AND principal = ? AND expires_at > ?",
            handle,
            principal,
            now,
          ),
        undefined,
      );
      if (!row) return undefined;
      return {
        handle: String(row["handle"]),
        principal: String(row["principal"]),
        tool: String(row["tool"]),
        mimeType: String(row["mime_type"]),
        createdAt: String(row["created_at"]),
        expiresAt: String(row["expires_at"]),
        chars: Number(row["chars"]),
        text: textOf(row["text"]),
      };
    },

    async prune(now) {
      let pruned = 0;
      for (let slice = PRUNED_AT_ONCE; slice === PRUNED_AT_ONCE; pruned += slice)
        slice = await queue.write("pruneResults", { now, most: PRUNED_AT_ONCE });
      return pruned;
    },
  };
}
