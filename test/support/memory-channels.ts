import type { Channel, ChannelStore } from "../../src/store/store.ts";

/** A {@link ChannelStore} in memory; give it to two servers, and they share it as two processes share a file. */
export function createMemoryChannels(): ChannelStore & { rows: Map<string, Channel> } {
  const rows = new Map<string, Channel>();
  const live = (now: string) => [...rows.values()].filter(({ expiresAt }) => expiresAt > now);
  return {
    rows,
    async put(channel) {
      rows.set(channel.id, structuredClone(channel));
    },
    async get(id, now) {
      return structuredClone(live(now).find((row) => row.id === id));
    },
    async touch(id, expiresAt) {
      const row = rows.get(id);
      if (row) row.expiresAt = expiresAt;
    },
    async remove(id) {
      rows.delete(id);
    },
    async count(now) {
      return live(now).length;
    },
    async prune(now) {
      const dead = [...rows.values()].filter(({ expiresAt }) => expiresAt <= now).map(({ id }) => id);
      for (const id of dead) rows.delete(id);
      return dead;
    },
  };
}
