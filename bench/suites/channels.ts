/** Memory per idle channel (older-era MCP session) that has made one call. */
import { setTimeout as sleep } from "node:timers/promises";
import { openConnection } from "../lib/http-connection.ts";
import { HAS_PROC, NO_PROC, rssBytes } from "../lib/proc.ts";
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

/** Each is initialized and lists once, as a client does; then nobody uses it any more. */
async function openChannels(url: string, count: number): Promise<void> {
  const connection = await openConnection(new URL(url));
  const version = "2025-11-25";
  const accept = { accept: "application/json, text/event-stream", "content-type": "application/json" };
  const initialize = {
    ...{ jsonrpc: "2.0", id: 0, method: "initialize" },
    params: { protocolVersion: version, capabilities: {}, clientInfo: { name: "bench", version: "1.0.0" } },
  };
  for (let i = 0; i < count; i++) {
    const { headers, status } = await connection.send("POST", accept, JSON.stringify(initialize));
    const session = headers.get("mcp-session-id");
    if (session === undefined) throw new Error(`no session (HTTP ${status})`);
    const known = { ...accept, "mcp-session-id": session, "mcp-protocol-version": version };
    const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
    await connection.send("POST", known, JSON.stringify(initialized));
    await connection.send("POST", known, JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }));
  }
  connection.close();
}

/** Memory goes on changing for a moment after the last request: garbage is collected, pages are given back. */
async function settledRss(pid: number): Promise<number> {
  let last = rssBytes(pid);
  for (let looks = 0; looks < 10; looks++) {
    await sleep(300);
    const now = rssBytes(pid);
    if (Math.abs(now - last) < 200_000) return now;
    last = now;
  }
  return last;
}
