import type { Logger } from "../../core/source.ts";
import { refuseNul } from "../plain-text.ts";
import type { Channel, ChannelStore } from "../store.ts";
import type { Row, SqliteReader } from "./reader.ts";
import type { WriteQueue } from "./write-queue.ts";

export function createSqliteChannels(reader: SqliteReader, queue: WriteQueue, log: Logger): ChannelStore {
  return {
    async put(channel) {
      refuseNul(channel);
      await queue.write("putChannel", {
        ...channel,
        logLevel: channel.logLevel ?? null,
        subscriptions: JSON.stringify(channel.subscriptions),
      });
    },

    async get(id, now) {
      const row = await reader.read(
        (tables) => tables.get("SELECT * FROM channels WHERE id = ? AND expires_at > ?", id, now),
        undefined,
      );
      const channel = row && channelOf(row);
      // As good as expired: its client initializes again.
      if (row && !channel) log.warn({ channel: id }, "a stored channel cannot be read and is passed over");
      return channel;
    },

    async touch(id, expiresAt) {
      await queue.write("touchChannel", { id, expiresAt });
    },

    async remove(id) {
      await queue.write("removeChannel", { id });
    },

    count: (now) =>
      reader.read((tables) => {
        const row = tables.get("SELECT count(*) AS n FROM channels WHERE expires_at > ?", now);
        return Number(row?.["n"] ?? 0);
      }, 0),

    prune: (now) => queue.write("pruneChannels", { now }),
  };
}

function channelOf(row: Row): Channel | undefined {
  try {
    const subscriptions: unknown = JSON.parse(String(row["subscriptions"]));
    JSON.parse(String(row["initialize"]));
    if (!Array.isArray(subscriptions) || !subscriptions.every((uri) => typeof uri === "string")) return undefined;
    return {
      id: String(row["id"]),
      principal: String(row["principal"]),
      protocolVersion: String(row["protocol_version"]),
      initialize: String(row["initialize"]),
      ...(row["log_level"] === null ? {} : { logLevel: String(row["log_level"]) }),
      subscriptions,
      createdAt: String(row["created_at"]),
      expiresAt: String(row["expires_at"]),
    };
  } catch {
    return undefined;
  }
}
