/**
 * A floor: the least gateway that one can write with the SDK. One connection to one server, results passed on unread.
 *
 *   node gateway-sdk.mjs [--http] --to URL|FILE      FILE: a program for Node, over stdio
 */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Server } from "@modelcontextprotocol/server";
import { hasFlag, option } from "./lines.mjs";

/** Takes any result as it is. */
const UNREAD = { "~standard": { version: 1, vendor: "bench", validate: (value) => ({ value }) } };
const PATIENT = { timeout: 600_000 };

const to = option("to");
const further = process.argv.slice(process.argv.indexOf("--to") + 2);
const client = new Client({ name: "floor", version: "1.0.0" }, { capabilities: {} });
await client.connect(
  to.startsWith("http:")
    ? new StreamableHTTPClientTransport(new URL(to))
    : new StdioClientTransport({ command: process.execPath, args: [to, ...further], stderr: "inherit" }),
);
const list = await client.request({ method: "tools/list", params: {} }, UNREAD);

function makeServer() {
  const server = new Server({ name: "floor", version: "1.0.0" }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler("tools/list", () => ({ tools: list.tools }));
  server.fallbackRequestHandler = async ({ method, params }) => {
    if (method !== "tools/call") throw Object.assign(new Error("no such method"), { code: -32601 });
    return client.request({ method, params: { name: params.name, arguments: params.arguments } }, UNREAD, PATIENT);
  };
  return server;
}

if (hasFlag("http")) {
  const { listen } = await import("./sdk-http.mjs");
  process.stderr.write(`${await listen(makeServer)}\n`);
} else {
  const { serveStdio } = await import("@modelcontextprotocol/server/stdio");
  await serveStdio(makeServer, { legacy: "serve" });
}
