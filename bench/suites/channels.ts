/** Memory per idle channel (older-era MCP session) that has made one call. */
import { openChannels, settledRss } from "../lib/channels.ts";
import { HAS_PROC, NO_PROC } from "../lib/proc.ts";
import { compare, inTurn, skip } from "../lib/rounds.ts";
import { startFloor, startProduct, withFolder, withServers, type Server } from "../lib/servers.ts";
import { scaled, type Suite } from "../lib/suite.ts";

const ROW = { what: "channels: RSS per idle channel", unit: "kB", demand: { atMost: 0.8 } };

export const channels: Suite = {
  summary: "memory per idle channel",
  async run(effort) {
    if (!HAS_PROC) return [skip(ROW, NO_PROC)];
    const count = scaled(1000, effort, 20);
    const perChannel = (start: () => Promise<Server>) =>
      withServers({ server: start }, async ({ server }) => {
        await openChannels(server.url, Math.ceil(count / 5)); // the heap's first growth is not theirs
        const before = await settledRss(server.pid);
        await openChannels(server.url, count);
        return ((await settledRss(server.pid)) - before) / count / 1e3;
      });
    const runs = await inTurn(effort.rounds, {
      product: () => withFolder((dataDir) => perChannel(() => startProduct("http", dataDir))),
      floor: () => perChannel(() => startFloor("http")),
    });
    return [compare(ROW, runs.product, runs.floor)];
  },
};
