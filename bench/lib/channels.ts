/** Older-era sessions that stay idle, and what they hold. */
import { setTimeout as sleep } from "node:timers/promises";
import { openConnection } from "./http-connection.ts";
import { rssBytes } from "./proc.ts";

/** Each is initialized and lists once, as a client does; then nobody uses it any more. */
export async function openChannels(url: string, count: number): Promise<void> {
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
export async function settledRss(pid: number, others?: ReadonlySet<number>): Promise<number> {
  let last = rssBytes(pid, others);
  for (let looks = 0; looks < 10; looks++) {
    await sleep(300);
    const now = rssBytes(pid, others);
    if (Math.abs(now - last) < 200_000) return now;
    last = now;
  }
  return last;
}
