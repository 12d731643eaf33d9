import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import pack from "../interop/pack.ts";
import { modernRequest } from "../support/http.ts";
import { openWorld, type World } from "../support/open-world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function open(options: Parameters<typeof openWorld>[1] = {}) {
  world = await openWorld(pack, options);
  const input = new PassThrough();
  const output = new PassThrough();
  const received: JsonObject[] = [];
  let rest = "";
  output.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    received.push(...lines.map((line) => JSON.parse(line) as JsonObject));
  });
  const served = world.server.serveStdio(input, output);
  const write = (message: string | object) =>
    void input.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`);
  const answerTo = async (id: string | number | null) => {
    const find = () => received.find((each) => each["id"] === id && !("method" in each));
    await vi.waitFor(() => expect(find()).toBeDefined());
    return find() as JsonObject;
  };
  const ask = (id: string | number, method: string, params: object = {}) => {
    write({ jsonrpc: "2.0", id, method, params });
    return answerTo(id);
  };
  const initialize = (capabilities = {}, protocolVersion = "2025-11-25") => ask("init", "initialize", { protocolVersion, capabilities, clientInfo: { name: "t", version: "1" } }); // prettier-ignore
  return { input, output, received, served, write, ask, answerTo, initialize };
}

describe("stdio", () => {
  it("serves both eras on one pipe, each message by itself", async () => {
    const { ask, initialize, write, answerTo } = await open();
    await initialize();
    expect((await ask(1, "tools/call", { name: "number", arguments: { value: 1 } }))["result"]).toMatchObject({ structuredContent: { result: 1 } }); // prettier-ignore
    write(modernRequest("tools/call", { name: "number", arguments: { value: 1 } }, { id: "m" }).body);
    expect((await answerTo("m"))["result"]).toMatchObject({ structuredContent: 1, resultType: "complete" });
  });

  it("answers while others run", async () => {
    const { ask, initialize, write, received } = await open();
    await initialize();
    let polls = 0;
    write({ jsonrpc: "2.0", id: "slow", method: "tools/call", params: { name: "wait" } });
    expect((await ask(2, "ping"))["result"]).toEqual({});
    write({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "slow" } });
    await vi.waitFor(async () => {
      expect((await ask(`poll${++polls}`, "tools/call", { name: "waiting" }))["result"]).toMatchObject({ structuredContent: { waiting: 0 } }); // prettier-ignore
    });
    expect(received.filter((each) => each["id"] === "slow")).toEqual([]);
    expect((await ask("slow", "ping"))["id"]).toBe("slow");
  });

  it("cancels a request of 2026-07-28, and ends a stream of notices, by the same word", async () => {
    const { write, ask, received } = await open();
    const cancel = (requestId: string) =>
      write({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } });
    write(modernRequest("subscriptions/listen", { notifications: { toolsListChanged: true } }, { id: "l" }).body);
    await ask(1, "tools/call", { name: "test_trigger_tool_change" });
    const changes = () => received.filter((each) => each["method"] === "notifications/tools/list_changed").length;
    await vi.waitFor(() => expect(changes()).toBe(1));
    cancel("l");
    write(modernRequest("subscriptions/listen", { notifications: { toolsListChanged: true } }, { id: "l2" }).body);
    await ask(2, "tools/call", { name: "test_trigger_tool_change" });
    await vi.waitFor(() => expect(changes()).toBe(2));
    cancel("l2");
  });

  it.each([
    ["no JSON", "{nonsense", null, -32700],
    ["no request", '{"jsonrpc":"2.0","id":7}', 7, -32600],
    ["an empty batch", "[]", null, -32600],
    ["an unknown method", '{"jsonrpc":"2.0","id":8,"method":"constructor"}', 8, -32601],
  ])("answers %s and goes on", async (_what, line, id, code) => {
    const { write, answerTo, ask } = await open();
    write(line);
    expect((await answerTo(id))["error"]).toMatchObject({ code });
    expect((await ask("after", "ping"))["result"]).toEqual({});
  });

  it("takes lines in pieces, several at once, with empty ones and carriage returns between", async () => {
    const { input, answerTo } = await open();
    const line = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo", arguments: { text: "é👋" } } }); // prettier-ignore
    const bytes = Buffer.from(`\r\n\n${line}\r\n${line.replace('"id":1', '"id":2')}\n`);
    for (const byte of bytes) input.write(Buffer.from([byte]));
    expect((await answerTo(1))["result"]).toMatchObject({ content: [{ text: "é👋" }] });
    expect((await answerTo(2))["result"]).toMatchObject({ content: [{ text: "é👋" }] });
  });

  it("throws away a line that is too long, says so, and reads the next", async () => {
    const { write, answerTo, ask } = await open({ maxBodyBytes: 10_000 });
    write(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"${"y".repeat(2_000_000)}"}}`);
    expect((await answerTo(1))["error"]).toMatchObject({ data: { code: "TOO_LARGE" } });
    expect((await ask(2, "ping"))["result"]).toEqual({});
  });

  const long = "y".repeat(200_000);
  it.each([
    ["at the start, as a number", `{"jsonrpc": "2.0", "id": 7, "method":"ping","params":{"x":"${long}"}}`, 7],
    ["at the start, as a text", `{"id":"a-1","method":"ping","params":{"x":"${long}"}}`, "a-1"],
    ["at the end", `{"method":"ping","params":{"id":1,"x":"${long}"},"jsonrpc":"2.0","id":8}\r`, 8],
    ["nearly at the end", `{"params":{"x":"${long}"},"id":"b","jsonrpc":"2.0","method":"ping"}`, "b"],
    ["nowhere near", `{"method":"ping","params":{"x":"${long}"},"id":9,"more":"${long}"}`, null],
    ["nowhere, but something like it", `{"method":"ping","params":{"x":"${long}","id":9}}`, null],
    ["in a batch", `[{"method":"ping","params":{"x":"${long}"},"id":9}]`, null],
  ])("refuses a line that is too long by its id, which stands %s", async (_where, line, id) => {
    const { write, answerTo } = await open({ maxBodyBytes: 10_000 });
    write(line);
    expect((await answerTo(id))["error"]).toMatchObject({ data: { code: "TOO_LARGE" } });
  });

  it("fails a question whose answer is too long", async () => {
    const { write, answerTo, received, initialize } = await open({ maxBodyBytes: 10_000 });
    await initialize({ elicitation: {} });
    const params = { name: "test_input_required_result_elicitation" };
    write({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    const question = () => received.find((each) => each["method"] === "elicitation/create");
    await vi.waitFor(() => expect(question()).toBeDefined());
    write({ jsonrpc: "2.0", id: question()?.["id"], result: { action: "accept", content: { name: long } } });
    expect(JSON.stringify(await answerTo(1))).toContain("at most 10000 bytes");
  });

  it("fails a question whose answer does not fit its form", async () => {
    const { write, answerTo, received, initialize } = await open();
    await initialize({ elicitation: {} });
    const params = { name: "test_input_required_result_elicitation" };
    write({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    const question = () => received.find((each) => each["method"] === "elicitation/create");
    await vi.waitFor(() => expect(question()).toBeDefined());
    write({ jsonrpc: "2.0", id: question()?.["id"], result: { action: "accept", content: { name: 5 } } });
    expect((await answerTo(1))["result"]).toMatchObject({ isError: true });
    expect(JSON.stringify(await answerTo(1))).toContain("must be a text");
  });

  it("subscribes one client to a thousand resources, not to more", async () => {
    const { ask, initialize, write } = await open();
    await initialize();
    for (let at = 0; at < 1_000; at++) {
      write({ jsonrpc: "2.0", id: at, method: "resources/subscribe", params: { uri: `test://${at}` } });
    }
    expect((await ask("long", "resources/subscribe", { uri: "x".repeat(4_097) }))["error"]).toMatchObject({ code: -32602 }); // prettier-ignore
    expect((await ask("more", "resources/subscribe", { uri: "test://more" }))["error"]).toMatchObject({ data: { code: "OVERLOADED" } }); // prettier-ignore
  });

  it("finishes what runs when the client closes its side, and then ends", async () => {
    const { input, write, served, answerTo, initialize } = await open();
    await initialize();
    write({ jsonrpc: "2.0", id: "last", method: "tools/call", params: { name: "test_tool_with_progress" } });
    input.end();
    await served;
    expect((await answerTo("last"))["result"]).toMatchObject({ content: [{ text: "done" }] });
  });

  it("does not wait for ever: what asks the client fails, what runs on is ended", async () => {
    const { input, write, served, received, initialize } = await open({ shutdownGraceMs: 50 });
    await initialize({ elicitation: {} });
    write({
      jsonrpc: "2.0",
      id: "asks",
      method: "tools/call",
      params: { name: "test_input_required_result_elicitation" },
    });
    write({ jsonrpc: "2.0", id: "waits", method: "tools/call", params: { name: "wait" } });
    await vi.waitFor(() => expect(received.some((each) => each["method"] === "elicitation/create")).toBe(true));
    input.end();
    await served;
    const text = JSON.stringify(received);
    expect(text).toContain("CANCELLED");
    expect(text).toContain("SHUTTING_DOWN");
  });

  it("ends when nobody reads any more", async () => {
    const { output, served, write, initialize } = await open();
    await initialize();
    write({ jsonrpc: "2.0", id: "waits", method: "tools/call", params: { name: "wait" } });
    output.destroy(new Error("EPIPE"));
    await expect(served).resolves.toBeUndefined();
  });
});
