/**
 * A floor: what passing a call on costs when nothing else is done. Reads each message once, gives it another id, and
 * answers lists from a text. It checks nothing, ends nothing and mends nothing: no product, but the most that one process
 * can do.
 *
 *   node gateway-raw.mjs [--http] --to URL|FILE      FILE: a program for Node, over stdio
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";
import { bodyOf, onLines, option, serveEither } from "./lines.mjs";

const STATELESS_VERSION = "io.modelcontextprotocol/protocolVersion";
const to = option("to");
const further = process.argv.slice(process.argv.indexOf("--to") + 2);
const ask = to.startsWith("http:") ? overHttp(new URL(to)) : overStdio([to, ...further]);

function overHttp({ hostname, port, pathname }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  let session;
  return (method, params) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
      const headers = {
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "mcp-protocol-version": "2025-11-25",
      };
      if (session) headers["mcp-session-id"] = session;
      const sent = httpRequest({ agent, hostname, port, path: pathname, method: "POST", headers }, (response) => {
        session ??= response.headers["mcp-session-id"];
        bodyOf(response).then((text) => resolve(JSON.parse(text)), reject);
      });
      sent.on("error", reject).end(body);
    });
}

function overStdio(command) {
  const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map();
  let lastId = 0;
  onLines(child.stdout, (line) => {
    const message = JSON.parse(line);
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  return (method, params) =>
    new Promise((resolve) => {
      const id = ++lastId;
      waiting.set(id, resolve);
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    });
}

await ask("initialize", {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "floor", version: "1.0.0" },
});
const tools = JSON.stringify((await ask("tools/list", {})).result.tools);
const sessions = new Set();

/** @returns JSON text, or undefined for what takes no answer */
async function answer({ id, method, params }) {
  if (id === undefined) return undefined;
  const isStateless = params?._meta?.[STATELESS_VERSION] !== undefined;
  const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},`;
  const kind = isStateless ? '"resultType":"complete",' : "";
  switch (method) {
    case "initialize":
      return `${head}"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"floor","version":"1.0.0"}}}`;
    case "tools/list":
      return `${head}"result":{${kind}"tools":${tools}${isStateless ? ',"ttlMs":0,"cacheScope":"private"' : ""}}}`;
    case "tools/call": {
      const passed = await ask(method, { name: params.name, arguments: params.arguments });
      passed.id = id;
      if (isStateless && passed.result) passed.result.resultType = "complete";
      return JSON.stringify(passed);
    }
    default:
      return `${head}"error":{"code":-32601,"message":"no such method"}}`;
  }
}

async function serve(request, response) {
  if (request.method !== "POST") return response.writeHead(405).end();
  const message = JSON.parse(await bodyOf(request));
  const isOpening = message.method === "initialize";
  const isKnown = isOpening || message.params?._meta !== undefined || sessions.has(request.headers["mcp-session-id"]);
  if (!isKnown) return response.writeHead(404).end();
  const text = await answer(message);
  if (text === undefined) return response.writeHead(202).end();
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  if (isOpening) sessions.add((headers["mcp-session-id"] = randomUUID()));
  response.writeHead(200, headers).end(text);
}

serveEither(answer, serve);
