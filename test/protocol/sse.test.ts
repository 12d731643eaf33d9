import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LOCAL, type Principal } from "../../src/core/caller.ts";
import type { ToolResult } from "../../src/core/item.ts";
import { modernRequest, send } from "../support/http.ts";
import { openSourceWorld } from "./source-world.ts";

const alice: Principal = { id: "alice", kind: "user", isAdmin: false };
const ASK = { method: "elicitation/create", params: { message: "who?", requestedSchema: { type: "object", properties: {} } } } as const; // prettier-ignore
const MAX_STREAMS = 3;

let world: Awaited<ReturnType<typeof openSourceWorld>>;
let base: string;
let begun: (() => void) | undefined;
let ended: Promise<string>;
beforeAll(async () => {
  world = await openSourceWorld(
    {
      hello: () => ({ content: [{ type: "text", text: "hello" }] }),
      ask: async ({ io }) => ({ content: [{ type: "text", text: JSON.stringify(await io.ask({ a: ASK })) }] }),
      progress: async ({ io }) => {
        io.progress(1, 2);
        await io.ask({ a: ASK }); // the SDK's client drops progress that comes in one piece with the answer
        return { content: [] };
      },
      forever: ({ deadline }) => {
        ended = new Promise((end) => deadline.signal.addEventListener("abort", () => end(deadline.error().code))); // prettier-ignore
        begun?.();
        return new Promise(() => {});
      },
    },
    {
      options: { sse: true, maxStreams: MAX_STREAMS, maxBodyBytes: 10_000 },
      identify: ({ authorization }) => (authorization ? alice : LOCAL),
    },
  );
  base = new URL("/", world.url).href.slice(0, -1);
});
afterAll(() => world.close());

async function connect(query = "") {
  const client = new Client({ name: "old", version: "1" }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept" as const, content: {} }));
  await client.connect(new SSEClientTransport(new URL(`${base}/sse${query}`)));
  return client;
}

/** The first event of a stream, and what ends it. */
function openRaw(headers: Record<string, string> = {}): Promise<{ status: number; text: string; close: () => void }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${base}/sse`, { headers, agent: false }, (response) => {
      response.once("data", (chunk: Buffer) =>
        resolve({ status: response.statusCode ?? 0, text: chunk.toString(), close: () => void sent.destroy() }),
      );
      response.on("error", () => {});
    });
    sent.on("error", reject);
    sent.end();
  });
}
const post = (path: string, body: unknown, headers = {}) =>
  send(`${base}${path}`, { headers, body: typeof body === "string" ? body : JSON.stringify(body) });
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

describe("HTTP+SSE", () => {
  it("serves the SDK's client: calls, questions, progress, notices", async () => {
    const client = await connect("?exposure=groups");
    expect((await client.listTools()).tools).toBeDefined();
    expect(world.seen.at(-1)).toBe("groups");
    expect((await client.callTool({ name: "hello" })).content).toEqual([{ type: "text", text: "hello" }]);
    expect((await client.callTool({ name: "ask" })).content).toMatchObject([{ text: expect.stringContaining("accept") }]); // prettier-ignore
    const progress: unknown[] = [];
    await client.callTool({ name: "progress" }, undefined, { onprogress: (each) => void progress.push(each) });
    expect(progress).toEqual([{ progress: 1, total: 2 }]);
    const updated: string[] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri));
    await client.subscribeResource({ uri: "test://one" });
    expect(world.watched).toEqual(["test://one"]);
    world.tellUpdated("test://one");
    await expect.poll(() => updated).toEqual(["test://one"]);
    const running = new Promise<void>((run) => (begun = run));
    const call = client.callTool({ name: "forever" });
    call.catch(() => {});
    await running;
    await client.close();
    expect(await ended).toBe("CANCELLED");
    await expect.poll(() => world.watched).toEqual([]);
    await expect.poll(() => world.server.counters().streams).toBe(0);
  });

  it("takes messages from whoever opened the stream alone [mcp-sse-owner]", async () => {
    const stream = await openRaw();
    const [, path = ""] = /^event: endpoint\ndata: (\/messages\?sessionId=\S+)\n\n$/.exec(stream.text) ?? [];
    expect(path).not.toBe("");
    expect((await post(path, PING)).status).toBe(202);
    expect((await post(path, PING, { authorization: "x" })).status).toBe(404);
    expect((await post("/messages?sessionId=nobody", PING)).status).toBe(404);
    expect((await post("/messages", PING)).status).toBe(404);
    stream.close();
    await expect.poll(async () => (await post(path, PING)).status).toBe(404);
  });

  it("checks what every request is checked for", async () => {
    const stream = await openRaw();
    const path = stream.text.split("data: ")[1]?.trim() ?? "";
    expect((await post(path, PING, { host: "evil.example" })).status).toBe(403);
    expect((await post(path, PING, { origin: "https://evil.example" })).status).toBe(403);
    expect((await post(path, PING, { "content-type": "text/plain" })).status).toBe(415);
    expect((await post(path, "{")).status).toBe(400);
    expect((await post(path, [PING])).status).toBe(400);
    expect((await post(path, modernRequest("tools/list").body)).status).toBe(400);
    expect((await post(path, { ...PING, pad: "x".repeat(10_000) })).status).toBe(413);
    expect((await send(`${base}/sse`, { method: "GET", headers: { host: "evil.example" } })).status).toBe(403);
    expect((await send(`${base}/sse`, {})).status).toBe(405);
    stream.close();
  });

  it("opens so many streams and no more", async () => {
    const open = await Promise.all(Array.from({ length: MAX_STREAMS }, () => openRaw()));
    expect((await send(`${base}/sse`, { method: "GET" })).status).toBe(503);
    for (const stream of open) stream.close();
    await expect
      .poll(async () => {
        const stream = await openRaw();
        stream.close();
        return stream.status;
      })
      .toBe(200);
  });

  it("is not there unless it was asked for", async () => {
    const other = await openSourceWorld({});
    expect((await send(new URL("/sse", other.url).href, { method: "GET" })).status).toBe(404);
    await other.close();
  });

  it("ends with the last answer when the server stops", async () => {
    let answer = (_result: ToolResult) => {};
    const running = new Promise<void>((run) => (begun = run));
    const wait = () =>
      new Promise<ToolResult>((resolve) => {
        answer = resolve;
        begun?.();
      });
    const own = await openSourceWorld({ wait }, { options: { sse: true } });
    const client = new Client({ name: "old", version: "1" });
    await client.connect(new SSEClientTransport(new URL("/sse", own.url)));
    const call = client.callTool({ name: "wait" });
    await running;
    const closed = own.server.close(60_000);
    answer({ content: [{ type: "text", text: "last" }] });
    expect((await call).content).toEqual([{ type: "text", text: "last" }]);
    await closed;
    await client.close();
  });
});
