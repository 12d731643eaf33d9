import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ToolResult } from "../../src/core/item.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { keepRawText } from "../../src/core/raw-text.ts";
import { Paused } from "../../src/core/pause.ts";
import { RemoteError } from "../../src/core/remote-error.ts";
import type { RunContext } from "../../src/core/source.ts";
import { BOTH, modernRequest, openSession, openStream, send } from "../support/http.ts";
import { createMemoryChannels } from "../support/memory-channels.ts";
import { openSourceWorld } from "./source-world.ts";

const ASK = {
  method: "elicitation/create",
  params: { message: "who?", requestedSchema: { type: "object", properties: { name: { type: "string" } } } },
} as const;
const CAN = { elicitation: { form: {} }, sampling: { tools: {} }, extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html"] }, "io.modelcontextprotocol/tasks": {}, "com.example/x": {} } }; // prettier-ignore
const textResult = (value: unknown): ToolResult => ({ content: [{ type: "text", text: JSON.stringify(value) }] });

/** Two rounds of questions under the same key, as a server with a state of its own asks them. */
async function twice({ io }: RunContext): Promise<ToolResult> {
  const { resumed } = io;
  if (!resumed) return textResult(await io.ask({ "their key": ASK }, "first"));
  if (resumed.state === "first") {
    const now = await io.ask({ "their key": ASK, other: ASK }, `second after ${JSON.stringify(resumed.answers)}`);
    return textResult(now);
  }
  return textResult(resumed);
}

/** As {@link keepRawText} has it: what JSON numbers of JavaScript cannot hold tells whether the text went through. */
function raw(text: string): ToolResult {
  const result = JSON.parse(text) as ToolResult;
  keepRawText(result, text);
  return result;
}

const channels = createMemoryChannels();
let world: Awaited<ReturnType<typeof openSourceWorld>>;
beforeAll(async () => {
  world = await openSourceWorld(
    {
      twice,
      can: ({ io }) => textResult([io.can, io.logLevel ?? null]),
      along: ({ io }) => textResult([io.meta ?? null, io.wantsProgress ?? null]),
      comeBack: async ({ io }) => textResult(io.resumed ?? (await io.ask({}, "nothing asked"))),
      pauses: ({ io }) => {
        if (!io.resumed) throw new Paused({ key: ASK }, "paused");
        return textResult(io.resumed);
      },
      longState: async ({ io }) => textResult(io.resumed?.state.length ?? (await io.ask({}, "x".repeat(64_000)))),
      tooLongState: async ({ io }) => textResult(await io.ask({}, "x".repeat(64_001))),
      gone: () => Promise.reject(new RemoteError("far", { code: -32002, message: "no such thing", data: { uri: "x" } })), // prettier-ignore
      url: () => Promise.reject(new RemoteError("far", { code: -32042, message: "go there", data: { elicitations: [] } })), // prettier-ignore
      own: () => Promise.reject(new RemoteError("far", { code: 4711, message: "their own" })),
      big: () => raw(`{"content":[],"structuredContent":{"n":12345678901234567890}}`),
      meta: () => raw(`{"content":[],"_meta":{"theirs":1}}`),
      lines: () => raw(`{\n "content": [],\r\n "x": 1\n}`),
      empty: () => raw(`{ }`),
    },
    { channels, more: { extra: { icons: [{ src: "data:," }], name: "evil", "x-vendor": 1 } } },
  );
});
afterAll(() => world.close());

async function modern(name: string, more: JsonObject = {}): Promise<JsonObject> {
  return (await send(world.url, modernRequest("tools/call", { name, arguments: {}, ...more }, { capabilities: CAN })))
    .body;
}
const resultOf = (body: JsonObject) => body["result"] as JsonObject;
const said = (body: JsonObject) => JSON.parse(String((resultOf(body)["content"] as JsonObject[])[0]?.["text"])) as Json;
const accept = (name: string) => ({ action: "accept", content: { name } });

describe("a run that asks with a state", () => {
  it("goes on in 2026-07-28 with the answers that came with the retry, under the server's own keys", async () => {
    const first = resultOf(await modern("twice"));
    expect(first).toMatchObject({ resultType: "input_required", inputRequests: { "their key": ASK } });
    const second = resultOf(await modern("twice", { requestState: first["requestState"] ?? "", inputResponses: { "their key": accept("Ada") } })); // prettier-ignore
    expect(Object.keys(second["inputRequests"] as JsonObject)).toEqual(["their key", "other"]);
    const third = await modern("twice", { requestState: second["requestState"] ?? "", inputResponses: { other: accept("Bob"), stranger: accept("Eve") } }); // prettier-ignore
    expect(said(third)).toEqual({
      state: `second after ${JSON.stringify({ "their key": accept("Ada") })}`,
      answers: { other: accept("Bob") },
    });
  });

  it("gets no answer that is none, and no state that was changed", async () => {
    const { requestState = "" } = resultOf(await modern("twice"));
    const second = resultOf(await modern("twice", { requestState, inputResponses: { "their key": { action: "maybe" } } })); // prettier-ignore
    const done = await modern("twice", { requestState: second["requestState"] ?? "" });
    expect(said(done)).toEqual({ state: "second after {}", answers: {} });
    const changed = await modern("twice", { requestState: `A${String(requestState).slice(1)}` });
    expect(changed["error"]).toMatchObject({ code: -32602, data: { reason: "tampered" } });
  });

  it("may just want the client to come back", async () => {
    const first = resultOf(await modern("comeBack"));
    expect(first).not.toHaveProperty("inputRequests");
    const second = await modern("comeBack", { requestState: first["requestState"] ?? "" });
    expect(said(second)).toEqual({ state: "nothing asked", answers: {} });
  });

  it("has room for 64,000 characters, and no more", async () => {
    const { requestState = "" } = resultOf(await modern("longState"));
    expect(said(await modern("longState", { requestState }))).toBe(64_000);
    expect(resultOf(await modern("tooLongState"))).toMatchObject({ isError: true });
  });

  it("asks a client of the older era at once, however often", async () => {
    const { headers } = await openSession(world.url, { capabilities: { elicitation: {} } });
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "twice", arguments: {} } };
    const stream = openStream(world.url, { method: "POST", headers: { ...headers, "content-type": "application/json", accept: BOTH }, body }); // prettier-ignore
    await expect.poll(() => stream.events).toMatchObject([ASK]);
    await send(world.url, { headers, body: { jsonrpc: "2.0", id: stream.events[0]?.["id"], result: accept("Ada") } });
    await expect.poll(() => stream.events).toHaveLength(2);
    expect(said(stream.events[1] ?? {})).toEqual({ "their key": accept("Ada") });
    stream.close();
  });
});

it("goes on from its state in the older era, too, when a run pauses instead of asking", async () => {
  const { headers } = await openSession(world.url, { capabilities: { elicitation: {} } });
  const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "pauses", arguments: {} } };
  const stream = openStream(world.url, { method: "POST", headers: { ...headers, "content-type": "application/json", accept: BOTH }, body }); // prettier-ignore
  await expect.poll(() => stream.events).toMatchObject([ASK]);
  await send(world.url, { headers, body: { jsonrpc: "2.0", id: stream.events[0]?.["id"], result: accept("Ada") } });
  await expect.poll(() => stream.events).toHaveLength(2);
  expect(said(stream.events[1] ?? {})).toEqual({ state: "paused", answers: { key: accept("Ada") } });
  stream.close();
});

describe("what a client declared", () => {
  const declared = { elicitation: { form: {} }, sampling: { tools: {} }, extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html"] } } }; // prettier-ignore

  it("is known to Sources in both eras, without extensions that need something from us, after a restart too", async () => {
    expect(said(await modern("can"))).toMatchObject([{ elicitForm: true, elicitUrl: false, roots: false, declared }, null]); // prettier-ignore
    const session = await openSession(world.url, { capabilities: CAN });
    expect(said((await session.ask("tools/call", { name: "can" })).body)).toMatchObject([{ declared }, "info"]);
    const other = await openSourceWorld({ can: ({ io }) => textResult(io.can) }, { channels });
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "can" } };
    expect(said((await send(other.url, { headers: session.headers, body })).body)).toMatchObject({ declared });
    await other.close();
  });
});

describe("an error of another server", () => {
  it.each([
    ["own", { code: 4711, message: "their own" }, 4711],
    ["gone", { code: -32002, message: "no such thing", data: { uri: "x" } }, -32602],
    ["url", { code: -32042, message: "go there", data: { elicitations: [] } }, -32600],
  ])("goes on as it came: %s", async (name, error, modernCode) => {
    const session = await openSession(world.url);
    expect((await session.ask("tools/call", { name })).body["error"]).toEqual(error);
    expect((await modern(name))["error"]).toEqual({ ...error, code: modernCode });
  });
});

describe("a result that came as text", () => {
  const serverInfo = expect.objectContaining({ "io.modelcontextprotocol/serverInfo": expect.anything() });

  it("goes on as that text in both eras", async () => {
    const session = await openSession(world.url);
    expect((await session.ask("tools/call", { name: "big" })).text).toContain('"n":12345678901234567890}');
    const { text, body } = await send(world.url, modernRequest("tools/call", { name: "big", arguments: {} }));
    expect(text).toContain('"n":12345678901234567890}');
    expect(resultOf(body)).toMatchObject({ resultType: "complete", _meta: serverInfo });
  });

  it("is one line, keeps its own _meta, and may be empty", async () => {
    const session = await openSession(world.url);
    const lines = await session.ask("tools/call", { name: "lines" });
    expect(lines.text).not.toContain("\n");
    expect(resultOf(lines.body)).toEqual({ content: [], x: 1 });
    expect(resultOf(await modern("lines"))).toMatchObject({ content: [], x: 1, resultType: "complete" });
    expect(resultOf(await modern("meta"))).toMatchObject({ _meta: { theirs: 1, "io.modelcontextprotocol/serverInfo": {} } }); // prettier-ignore
    expect(resultOf(await modern("empty"))).toEqual({ resultType: "complete", _meta: serverInfo });
  });
});

it("lists what a line has beyond our own members, and never in their place", async () => {
  const session = await openSession(world.url);
  const { tools } = resultOf((await session.ask("tools/list")).body) as { tools: JsonObject[] };
  const big = tools.find(({ name }) => name === "big") ?? {};
  expect(Object.keys(big)).toEqual(["name", "inputSchema", "icons", "x-vendor"]);
});

describe("who follows a resource", () => {
  it("is known to its Source while there is a stream to tell it on", async () => {
    const session = await openSession(world.url);
    await session.ask("resources/subscribe", { uri: "test://one" });
    expect(world.watched).toEqual([]);
    const stream = session.stream();
    await expect.poll(() => world.watched).toEqual(["test://one"]);
    world.setResources(["test://one", "test://two"]);
    await expect.poll(() => stream.events).toMatchObject([{ method: "notifications/resources/list_changed" }]);
    expect(world.watched).toEqual(["test://one"]);
    await session.ask("resources/subscribe", { uri: "test://two" });
    expect(world.watched).toEqual(["test://one", "test://two"]);
    await session.ask("resources/unsubscribe", { uri: "test://one" });
    expect(world.watched).toEqual(["test://two"]);
    world.tellUpdated("test://one");
    world.tellUpdated("test://two");
    await expect.poll(() => stream.events.slice(1)).toMatchObject([{ method: "notifications/resources/updated", params: { uri: "test://two" } }]); // prettier-ignore
    stream.close();
    await expect.poll(() => world.watched).toEqual([]);

    // Another process on the store goes on where this one was.
    const other = await openSourceWorld({}, { channels });
    other.setResources(["test://two"]);
    const again = openStream(other.url, { headers: { ...session.headers, accept: "text/event-stream" } });
    await expect.poll(() => other.watched).toEqual(["test://two"]);
    again.close();
    await other.close();
    expect(other.watched).toEqual([]);
  });

  it("may be on the other end of a pipe", async () => {
    const [input, output] = [new PassThrough(), new PassThrough().resume()];
    const served = world.server.serveStdio(input, output);
    const write = (id: number, method: string, params: JsonObject) =>
      input.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    write(1, "initialize", { protocolVersion: "2025-11-25", capabilities: {} });
    write(2, "resources/subscribe", { uri: "test://one" });
    await expect.poll(() => world.watched).toEqual(["test://one"]);
    write(3, "resources/unsubscribe", { uri: "test://one" });
    await expect.poll(() => world.watched).toEqual([]);
    write(4, "resources/subscribe", { uri: "test://one" });
    await expect.poll(() => world.watched).toEqual(["test://one"]);
    input.end();
    await served;
    expect(world.watched).toEqual([]);
  });

  it("may listen in 2026-07-28", async () => {
    const listen = modernRequest("subscriptions/listen", { notifications: { resourceSubscriptions: ["test://one"] } });
    const stream = openStream(world.url, { method: "POST", ...listen });
    await expect.poll(() => world.watched).toEqual(["test://one"]);
    world.tellUpdated("test://one");
    await expect.poll(() => stream.events.at(-1)).toMatchObject({ method: "notifications/resources/updated" });
    stream.close();
    await expect.poll(() => world.watched).toEqual([]);
  });
});

it("tells log lines that belong to no call to their channel alone, from its level on", async () => {
  const [one, two] = [await openSession(world.url), await openSession(world.url)];
  const streams = [one.stream(), two.stream()];
  await expect.poll(() => world.server.counters().streams).toBe(2);
  await one.ask("logging/setLevel", { level: "warning" });
  for (const level of ["info", "warning"] as const) {
    world.tellMessage({ channel: one.id, level, data: level, logger: "far" });
    world.tellMessage({ channel: two.id, level, data: level });
  }
  const lines = (stream = streams[0]) => stream?.events.map(({ params }) => params);
  await expect.poll(() => lines(streams[1])).toEqual([{ level: "info", data: "info" }, { level: "warning", data: "warning" }]); // prettier-ignore
  await expect.poll(() => lines()).toEqual([{ level: "warning", logger: "far", data: "warning" }]);
  for (const stream of streams) stream.close();
});

it("tells of a dialog that is done to the channel that was asked, and to no other", async () => {
  const [one, two] = [await openSession(world.url), await openSession(world.url)];
  const streams = [one.stream(), two.stream()];
  await expect.poll(() => world.server.counters().streams).toBe(2);
  world.tellMessage({ channel: two.id, elicitationId: "e" });
  await expect.poll(() => streams[1]?.events).toMatchObject([{ method: "notifications/elicitation/complete", params: { elicitationId: "e" } }]); // prettier-ignore
  expect(streams[0]?.events).toEqual([]);
  for (const stream of streams) stream.close();
});

it("hears of other roots from clients that have any", async () => {
  const [none, some] = [await openSession(world.url), await openSession(world.url, { capabilities: { roots: {} } })];
  for (const each of [none, some]) await each.post({ jsonrpc: "2.0", method: "notifications/roots/list_changed" });
  expect(world.withOtherRoots).toEqual([some.id]);
});

it("hands on what a request's _meta has for others, and says whether progress is wanted", async () => {
  const others = { traceparent: "00-1-2-01", "com.example/x": { y: [1] }, "com.example.mcp/x": 1, plain: null };
  const own = {
    "dev.mcp/a": 1,
    "modelcontextprotocol.io/b": 1,
    "io.modelcontextprotocol/related-task": { taskId: "1" },
  };
  const session = await openSession(world.url);
  const ask = async (meta: JsonObject) => (await session.ask("tools/call", { name: "along", _meta: meta })).body;
  expect(resultOf(await ask({ ...others, ...own }))).toMatchObject(textResult([others, false]));
  expect(resultOf(await ask({ ...own, progressToken: 0 }))).toMatchObject(textResult([null, true]));
  const modern = await send(world.url, modernRequest("tools/call", { name: "along" }, { meta: { ...others, ...own } }));
  expect(resultOf(modern.body)).toMatchObject(textResult([others, false]));
});

describe("exposure by the address", () => {
  it("is the caller's in both eras, request by request", async () => {
    world.seen.length = 0;
    await send(`${world.url}?exposure=groups`, modernRequest("tools/list"));
    expect(new Set(world.seen)).toEqual(new Set(["groups"]));
    const session = await openSession(`${world.url}?exposure=search`);
    world.seen.length = 0;
    await session.ask("tools/list");
    expect(new Set(world.seen)).toEqual(new Set(["search"]));
  });

  it.each(["nonsense", "", "search&exposure=direct"])("is refused when it is %j", async (value) => {
    const { status, body } = await send(`${world.url}?exposure=${value}`, modernRequest("tools/list"));
    expect(status).toBe(400);
    expect(body["error"]).toMatchObject({ data: { allowed: ["direct", "search", "groups", "code", "auto"] } });
  });
});
