/** Starts the program in front of other servers, and the two gateways that it is held against. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Echo } from "./load.ts";
import { openHttpClient, openStdioClient, type Client, type Era } from "./mcp-client.ts";
import { descendantsWith } from "./proc.ts";
import { start, startProduct, type Server, type Transport } from "./servers.ts";

export type Kind = "product" | "sdk" | "raw";
export type ServerEntry = { command: string; args: string[] } | { url: string };

const floorFile = (name: string) => fileURLToPath(new URL(`../floors/${name}.mjs`, import.meta.url));
const UPSTREAM = floorFile("upstream");
const FLOORS = { sdk: floorFile("gateway-sdk"), raw: floorFile("gateway-raw") };
/** Proving who one is belongs to what is measured. */
const TOKEN = "bench-token-of-the-operator";
const HEADERS = { authorization: `Bearer ${TOKEN}` };

/** A server of its own process, reached over HTTP. */
export const startUpstream = (...args: string[]) => start([UPSTREAM, "--http", ...args], "http");

/** The same over stdio, as nobody's child but ours. */
export const startUpstreamOverStdio = (...args: string[]) => start([UPSTREAM, ...args], "stdio");

/** How a gateway is told of a server that it starts itself. */
export const stdioEntry = (...args: string[]): ServerEntry => ({
  command: process.execPath,
  args: [UPSTREAM, ...args],
});

/**
 * The program with journal, guard, name map and checks as its users have them.
 *
 * @param folder for its data and its configuration
 * @param servers by name
 */
export function startWith(
  transport: Transport,
  folder: string,
  servers: Readonly<Record<string, ServerEntry>>,
  args: readonly string[] = [],
): Promise<Server> {
  const file = path.join(folder, "dynamic-mcp.json");
  writeFileSync(file, JSON.stringify({ mcpServers: servers }));
  const own = ["--config", file, "--exposure", "direct", ...args];
  return startProduct(transport, path.join(folder, "data"), own, { MCP_ADMIN_TOKEN: TOKEN });
}

/** One of the three in front of one server. */
export function startGateway(kind: Kind, transport: Transport, folder: string, to: ServerEntry): Promise<Server> {
  if (kind === "product") return startWith(transport, folder, { up: to });
  const target = "url" in to ? [to.url] : to.args;
  return start([FLOORS[kind], ...(transport === "http" ? ["--http"] : []), "--to", ...target], transport);
}

export const openClient = (server: Server, transport: Transport, era: Era, connections: number): Promise<Client> =>
  transport === "http" ? openHttpClient(server.url, era, connections, HEADERS) : openStdioClient(server.child, era);

/** Waits until the server behind has been asked for its tools. @returns the echo tool, under the name it has here */
export async function findEcho(client: Client): Promise<Echo> {
  const tool = await findTool(client, "echo");
  return { tool, args: (text) => ({ text }) };
}

/** @throws Error when there is none within some seconds */
export async function findTool(client: Client, name: string): Promise<string> {
  const endsAt = performance.now() + 15_000;
  for (;;) {
    const names = await toolNames(client);
    const found = names.find((each) => each === name || each.endsWith(`__${name}`));
    if (found !== undefined) return found;
    if (performance.now() > endsAt) throw new Error(`no tool ${name} among ${names.slice(0, 20).join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Of all pages. */
export async function toolNames(client: Client): Promise<string[]> {
  const names: string[] = [];
  let cursor: unknown;
  do {
    const page = await client.request("tools/list", cursor === undefined ? {} : { cursor });
    for (const { name } of page["tools"] as { name: string }[]) names.push(name);
    cursor = page["nextCursor"];
  } while (cursor !== undefined);
  return names;
}

/** Waits until a start of this program has learnt so many tools, so that the next one knows them. */
export async function untilListed(client: Client, tools: number): Promise<void> {
  const endsAt = performance.now() + 60_000;
  for (;;) {
    const { length } = (await toolNames(client)).filter((name) => name.includes("__"));
    if (length >= tools) return;
    if (performance.now() > endsAt) throw new Error(`only ${length} of ${tools} tools of other servers are listed`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The servers that a gateway started: what they use is not the gateway's. */
export const upstreamsOf = ({ pid }: Server) => descendantsWith(pid, UPSTREAM);
