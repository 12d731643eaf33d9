import { afterEach, describe, expect, it, vi } from "vitest";
import { LOCAL } from "../../src/core/caller.ts";
import type { Principal } from "../../src/core/caller.ts";
import pack from "../interop/pack.ts";
import { BOTH, openSession, openStream, send } from "../support/http.ts";
import { createMemoryChannels } from "../support/memory-channels.ts";
import { openWorld, type World } from "../support/open-world.ts";

const worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

async function serve(...args: Parameters<typeof openWorld> extends [unknown, ...infer Rest] ? Rest : never) {
  const world = await openWorld(pack, ...args);
  worlds.push(world);
  return (await world.listen()).url;
}

describe("sessions of the older era", () => {
  it.each(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])("speaks %s", async (version) => {
    const { opened, ask } = await openSession(await serve(), { version });
    expect(opened.body["result"]).toMatchObject({ protocolVersion: version, serverInfo: { name: "dynamic-mcp" } });
    expect((await ask("ping")).body["result"]).toEqual({});
  });

  it("answers a version it does not know, or one without sessions, with the newest that has them", async () => {
    const url = await serve();
    for (const version of ["1999-01-01", "2026-07-28"]) {
      const { opened } = await openSession(url, { version });
      expect(opened.body["result"]).toMatchObject({ protocolVersion: "2025-11-25" });
    }
  });

  it("wants a session id (400), and knows the ids it gave (404)", async () => {
    const url = await serve();
    const body = { jsonrpc: "2.0", id: 4, method: "tools/list" };
    const without = await send(url, { body });
    expect(without).toMatchObject({ status: 400, body: { id: 4, error: { code: -32600 } } });
    const unknown = await send(url, { body, headers: { "mcp-session-id": "nobody" } });
    expect(unknown).toMatchObject({ status: 404, body: { id: 4, error: { data: { code: "CHANNEL_NOT_FOUND" } } } });
  });

  it("lets a client initialize again with the id of a session that is gone", async () => {
    const url = await serve();
    const { opened } = await openSession(url, { headers: { "mcp-session-id": "gone" } });
    expect(opened.status).toBe(200);
  });

  it("forgets a session when its client ends it", async () => {
    const { ask, end } = await openSession(await serve());
    expect((await end()).status).toBe(200);
    expect((await ask("ping")).status).toBe(404);
  });

  it("goes on in another process on the same store, with capabilities, log level and subscriptions", async () => {
    const channels = createMemoryChannels();
    const first = await serve({}, { channels });
    const session = await openSession(first, { capabilities: { elicitation: {}, sampling: {} } });
    await session.ask("logging/setLevel", { level: "error" });
    await session.ask("resources/subscribe", { uri: "test://watched-resource" });
    await worlds.splice(0)[0]?.close();

    const second = await serve({}, { channels });
    const headers = { ...session.headers, "content-type": "application/json", accept: BOTH };
    // Asks for all that the client has declared.
    const params = { name: "test_input_required_result_capabilities" };
    const body = { jsonrpc: "2.0", id: 9, method: "tools/call", params };
    const call = openStream(second, { method: "POST", headers, body });
    await vi.waitFor(() => expect(call.events.map((each) => each["method"])).toEqual(["sampling/createMessage", "elicitation/create"])); // prettier-ignore
    const results = [
      { role: "assistant", model: "m", content: { type: "text", text: "Paris" } },
      { action: "decline" },
    ];
    for (const [at, result] of results.entries()) {
      await send(second, { headers, body: { jsonrpc: "2.0", id: call.events[at]?.["id"], result } });
    }
    await vi.waitFor(() => expect(call.events[2]).toMatchObject({ id: 9, result: { content: [{ text: "capital_question, user_name" }] } })); // prettier-ignore

    const notices = openStream(second, { headers: { ...session.headers, accept: "text/event-stream" } });
    await vi.waitFor(() => expect(notices.status()).toBe(200));
    await send(second, { headers, body: { ...body, id: 10, params: { name: "test_update_resource" } } });
    await vi.waitFor(() => expect(notices.events).toMatchObject([{ method: "notifications/resources/updated" }]));
    const logging = await send(second, { headers, body: { ...body, id: 11, params: { name: "test_logging_tool" } } });
    expect(logging.headers["content-type"]).toBe("application/json");
    notices.close();
  });

  it("is somebody else's to anybody else [mcp-session-owner]", async () => {
    const mallory: Principal = { id: "mallory", kind: "user", isAdmin: false };
    const identify = (headers: { authorization?: string | undefined }) => (headers.authorization ? mallory : LOCAL);
    const url = await serve({}, { identify });
    const { headers, ask } = await openSession(url);
    const body = { jsonrpc: "2.0", id: 1, method: "tools/list" };
    const stolen = await send(url, { headers: { ...headers, authorization: "Bearer m" }, body });
    expect(stolen.status).toBe(404);
    expect((await ask("ping")).status).toBe(200);
  });

  it("expires when it is idle, and stays while it is used", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    const url = await serve({ channelIdleMs: 600_000 }, { now: () => now });
    const used = await openSession(url);
    const idle = await openSession(url);
    for (let minute = 0; minute < 12; minute += 2) {
      now += 120_000;
      expect((await used.ask("ping")).status).toBe(200);
    }
    expect((await used.ask("ping")).status).toBe(200);
    expect((await idle.ask("ping")).status).toBe(404);
  });

  it("does not expire while its client listens", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    const url = await serve({ channelIdleMs: 600_000 }, { now: () => now });
    const session = await openSession(url);
    const stream = session.stream();
    await vi.waitFor(() => expect(stream.status()).toBe(200));
    now += 600_001;
    await session.ask("tools/call", { name: "test_trigger_tool_change" });
    await vi.waitFor(() => expect(stream.events).toMatchObject([{ method: "notifications/tools/list_changed" }]));
    stream.close();
  });

  it("opens as many sessions as allowed, not one more, and again when one has ended", async () => {
    const url = await serve({ maxChannels: 2 });
    const first = await openSession(url);
    await openSession(url);
    const { opened } = await openSession(url);
    expect(opened).toMatchObject({ status: 503, body: { error: { data: { code: "TOO_MANY_CHANNELS", limit: 2 } } } });
    expect(opened.headers["retry-after"]).toBeDefined();
    await first.end();
    expect((await openSession(url)).opened.status).toBe(200);
  });

  it("takes batches in versions that have them only", async () => {
    const url = await serve();
    const batch = [
      { jsonrpc: "2.0", id: 1, method: "ping" },
      { jsonrpc: "2.0", method: "notifications/initialized" },
      { jsonrpc: "2.0", id: 2, method: "nothing" },
    ];
    const old = await openSession(url, { version: "2025-03-26" });
    const answered = JSON.parse((await old.post(batch)).text) as unknown[];
    expect(answered).toEqual([
      { jsonrpc: "2.0", id: 1, result: {} },
      { jsonrpc: "2.0", id: 2, error: expect.objectContaining({ code: -32601 }) as object },
    ]);
    const newer = await openSession(url);
    expect((await newer.post(batch)).status).toBe(400);
    expect((await old.post([])).status).toBe(400);
    expect((await old.post([{ jsonrpc: "2.0", id: 1, method: "initialize", params: {} }])).status).toBe(400);
  });

  it("refuses the second request under an id that is in use", async () => {
    const session = await openSession(await serve());
    const first = session.ask("tools/call", { name: "wait" }, "same");
    await vi.waitFor(async () => {
      const { body } = await session.ask("tools/call", { name: "waiting" });
      expect(body["result"]).toMatchObject({ structuredContent: { waiting: 1 } });
    });
    expect((await session.ask("ping", {}, "same")).body["error"]).toMatchObject({ code: -32600 });
    await session.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "same" } });
    // A client that has cancelled waits for no answer: the stream ends without one.
    expect((await first).events).toEqual([]);
    expect((await session.ask("ping", {}, "same")).status).toBe(200);
  });
});

it("logs messages when it is told to, without their secrets", async () => {
  const lines: unknown[] = [];
  const log = { debug: (facts: object) => void lines.push(facts), info() {}, warn() {}, error() {} };
  const { ask } = await openSession(await serve({ logsMessages: true }, { log }));
  await ask("tools/call", { name: "echo", arguments: { text: "shown", apiKey: "hidden-1" } });
  const text = JSON.stringify(lines);
  expect(text).toContain("shown");
  expect(text).not.toContain("hidden-1");
});
