/** Clients of the load generator, hand-written: an SDK's own cost would hide what is measured. */
import type { ChildProcess } from "node:child_process";
import { openConnection, type HttpConnection } from "./http-connection.ts";

/** `legacy`: 2025-11-25 with a session. `modern`: 2026-07-28, stateless. */
export type Era = "legacy" | "modern";
export type Params = Record<string, unknown>;

export interface Client {
  /** @returns the `result` of the answer. @throws Error for anything else */
  request(method: string, params?: Params): Promise<Params>;
  close(): void;
}

const VERSION = { legacy: "2025-11-25", modern: "2026-07-28" } as const;
const CLIENT_INFO = { name: "bench", version: "1.0.0" };
const META = "io.modelcontextprotocol/";
const MODERN_META = {
  [`${META}protocolVersion`]: VERSION.modern,
  [`${META}clientCapabilities`]: {},
  [`${META}clientInfo`]: CLIENT_INFO,
};
const INITIALIZE = { protocolVersion: VERSION.legacy, capabilities: {}, clientInfo: CLIENT_INFO };

interface Message {
  id?: number;
  result?: Params;
  error?: { code: number; message: string };
}

function resultOf(message: Message): Params {
  if (message.result) return message.result;
  throw new Error(message.error ? `JSON-RPC error ${message.error.code}: ${message.error.message}` : "no result");
}

/**
 * A client with `connections` of its own; requests beyond that wait.
 *
 * @param headers sent with every request, names in lower case
 */
export async function openHttpClient(
  url: string,
  era: Era,
  connections: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Client> {
  const all = await Promise.all(Array.from({ length: connections }, () => openConnection(new URL(url))));
  const free = [...all];
  const queue: ((connection: HttpConnection) => void)[] = [];
  const base: Record<string, string> = {
    ...headers,
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
  };
  let lastId = 0;

  async function post(own: Record<string, string>, body: object) {
    const connection = free.pop() ?? (await new Promise<HttpConnection>((resolve) => queue.push(resolve)));
    const answer = await connection.send("POST", own, JSON.stringify(body));
    const next = queue.shift();
    if (next) next(connection);
    else free.push(connection);
    return answer;
  }

  async function request(method: string, params: Params = {}): Promise<Params> {
    const id = ++lastId;
    const isModern = era === "modern";
    const own = isModern ? { ...base, "mcp-method": method } : base;
    if (isModern && typeof params["name"] === "string") own["mcp-name"] = params["name"];
    const sent = isModern ? { ...params, _meta: MODERN_META } : params;
    const answer = await post(own, { jsonrpc: "2.0", id, method, params: sent });
    const session = answer.headers.get("mcp-session-id");
    if (session && !base["mcp-session-id"]) base["mcp-session-id"] = session;
    const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream");
    return resultOf(isStream ? messageIn(answer.body, id) : (JSON.parse(answer.body) as Message));
  }

  if (era === "legacy") {
    await request("initialize", INITIALIZE);
    base["mcp-protocol-version"] = VERSION.legacy;
    await post(base, { jsonrpc: "2.0", method: "notifications/initialized" });
  } else {
    base["mcp-protocol-version"] = VERSION.modern;
  }
  return { request, close: () => all.forEach((connection) => connection.close()) };
}

/** The answer among the events of a stream that has ended. */
function messageIn(stream: string, id: number): Message {
  for (const [, data = "{}"] of stream.matchAll(/^data: ?(.+)$/gm)) {
    const message = JSON.parse(data) as Message;
    if (message.id === id) return message;
  }
  throw new Error("the stream ended without an answer");
}

export async function openStdioClient(child: ChildProcess, era: Era = "legacy"): Promise<Client> {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error("the server was started without pipes");
  const waiting = new Map<number, { resolve(message: Message): void; reject(error: Error): void }>();
  let rest = "";
  let lastId = 0;
  stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = JSON.parse(line) as Message;
      waiting.get(message.id ?? -1)?.resolve(message);
      waiting.delete(message.id ?? -1);
    }
  });
  stdin.on("error", () => {}); // told by the end of the process
  child.once("close", (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the server exited (${code})`));
  });
  const write = (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

  async function request(method: string, params: Params = {}): Promise<Params> {
    const id = ++lastId;
    const answer = new Promise<Message>((resolve, reject) => waiting.set(id, { resolve, reject }));
    write({ id, method, params: era === "modern" ? { ...params, _meta: MODERN_META } : params });
    return resultOf(await answer);
  }

  if (era === "legacy") {
    await request("initialize", INITIALIZE);
    write({ method: "notifications/initialized" });
  }
  return { request, close: () => stdin.end() };
}
