import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import pack from "../interop/pack.ts";
import { modernRequest, openStream, send } from "../support/http.ts";
import { openWorld, type World } from "../support/open-world.ts";

let world: World;
let url: string;
beforeAll(async () => {
  world = await openWorld(pack);
  ({ url } = await world.listen());
});
afterAll(() => world.close());

const ask = (...args: Parameters<typeof modernRequest>) => send(url, modernRequest(...args));
const code = (answered: { body: Record<string, unknown> }) =>
  (answered.body["error"] as { code: number } | undefined)?.code;
const VERSION = "io.modelcontextprotocol/protocolVersion";

describe("a request of 2026-07-28", () => {
  it("says in every result what type it is and who answered", async () => {
    for (const [method, params] of [
      ["tools/list", {}],
      ["tools/call", { name: "echo", arguments: { text: "x" } }],
      ["server/discover", {}],
    ] as const) {
      // prettier-ignore
      const { body, status } = await ask(method, params);
      expect(status).toBe(200);
      expect(body["result"]).toMatchObject({
        resultType: "complete",
        _meta: { "io.modelcontextprotocol/serverInfo": { name: "dynamic-mcp" } },
      });
    }
  });

  it("says how long lists, resources and what we are may be kept", async () => {
    for (const method of ["tools/list", "prompts/list", "resources/list", "resources/templates/list"]) {
      expect((await ask(method)).body["result"]).toMatchObject({ ttlMs: 0, cacheScope: "private" });
    }
    const read = await ask("resources/read", { uri: "test://static-text" });
    expect(read.body["result"]).toMatchObject({ ttlMs: 0, cacheScope: "private" });
    expect((await ask("server/discover")).body["result"]).toMatchObject({ cacheScope: "public" });
  });

  it.each([
    [
      "a version that is not served",
      { meta: { [VERSION]: "2099-01-01" }, headers: { "mcp-protocol-version": "2099-01-01" } },
      -32022,
    ],
    [
      "an older version in the envelope",
      { meta: { [VERSION]: "2025-11-25" }, headers: { "mcp-protocol-version": "2025-11-25" } },
      -32022,
    ],
    ["another version in the header", { headers: { "mcp-protocol-version": "2025-11-25" } }, -32020],
    ["another method in the header", { headers: { "mcp-method": "prompts/list" } }, -32020],
    ["the method in capitals", { headers: { "mcp-method": "TOOLS/CALL" } }, -32020],
    ["another name in the header", { headers: { "mcp-name": "number" } }, -32020],
    ["broken base64 in the header", { headers: { "mcp-name": "=?base64?ZWNobw?=" } }, -32020],
    ["a version that is no text", { meta: { [VERSION]: 5 } }, -32602],
    ["capabilities that are no object", { meta: { "io.modelcontextprotocol/clientCapabilities": "all" } }, -32602],
    ["a client without a name", { meta: { "io.modelcontextprotocol/clientInfo": {} } }, -32602],
  ])("is refused with 400 for %s", async (_what, options, expected) => {
    const answered = await ask("tools/call", { name: "echo", arguments: { text: "x" } }, options);
    expect([answered.status, code(answered)]).toEqual([400, expected]);
  });

  it("may write a name that is no ASCII in base64", async () => {
    const uri = "test://template/grün/data";
    const header = `=?base64?${Buffer.from(uri).toString("base64")}?=`;
    const answered = await ask("resources/read", { uri }, { headers: { "mcp-name": header } });
    expect(answered.status).toBe(200);
  });

  it("gets 404 for a method that there is not, or not any more", async () => {
    for (const method of ["nothing", "initialize", "ping", "logging/setLevel", "resources/subscribe", "__proto__"]) {
      const answered = await ask(method);
      expect([answered.status, code(answered)]).toEqual([404, -32601]);
    }
  });

  it("is told by a number of its own when its client lacks a capability", async () => {
    const answered = await ask("tools/call", { name: "test_missing_capability", arguments: {} });
    expect(answered).toMatchObject({
      status: 400,
      body: { error: { code: -32021, data: { requiredCapabilities: { sampling: {} }, code: "CAPABILITY_MISSING" } } },
    });
  });

  it("gets no log lines unless it asks for them, and then those of its level", async () => {
    const call = { name: "test_logging_tool", arguments: {} };
    expect((await ask("tools/call", call)).headers["content-type"]).toBe("application/json");
    const level = (logLevel: string) => ({ meta: { "io.modelcontextprotocol/logLevel": logLevel } });
    expect((await ask("tools/call", call, level("debug"))).events).toHaveLength(2);
    expect((await ask("tools/call", call, level("error"))).events).toHaveLength(0);
    expect(code(await ask("tools/call", call, level("loud")))).toBe(-32602);
  });

  it("is cancelled by closing its stream", async () => {
    const call = openStream(url, { method: "POST", ...modernRequest("tools/call", { name: "wait", arguments: {} }) });
    const waiting = async () => (await ask("tools/call", { name: "waiting", arguments: {} })).body["result"];
    await vi.waitFor(async () => expect(await waiting()).toMatchObject({ structuredContent: { waiting: 1 } }));
    call.close();
    await vi.waitFor(async () =>
      expect(await waiting()).toMatchObject({ structuredContent: { waiting: 0, ended: ["client"] } }),
    );
  });

  it("cannot come in a batch, and has no GET or DELETE", async () => {
    const { headers, body } = modernRequest("tools/list");
    expect((await send(url, { headers, body: [body] })).status).toBe(400);
    for (const method of ["GET", "DELETE"]) {
      const answered = await send(url, { method, headers: { "mcp-protocol-version": "2026-07-28" } });
      expect([answered.status, answered.headers["allow"]]).toEqual([405, "POST"]);
    }
  });

  it("hides a fault of ours behind an incident id", async () => {
    const broken = await openWorld({
      name: "broken",
      prompts: [{ name: "bad", run: () => { throw new Error("the secret cause"); } }], // prettier-ignore
    });
    const { url: other } = await broken.listen();
    const { body, text } = await send(other, modernRequest("prompts/get", { name: "bad" }));
    expect(body["error"]).toMatchObject({ code: -32603, data: { code: "INTERNAL", incidentId: expect.stringMatching(/^[0-9a-f]{16}$/) as string } }); // prettier-ignore
    expect(text).not.toContain("secret");
    await broken.close();
  });
});

describe("subscriptions/listen", () => {
  const listen = (notifications: Record<string, boolean | string[]>, id: string) =>
    openStream(url, { method: "POST", ...modernRequest("subscriptions/listen", { notifications }, { id }) });
  const trigger = (name: string) => ask("tools/call", { name, arguments: {} });
  const meta = (id: string) => ({ _meta: { "io.modelcontextprotocol/subscriptionId": id } });

  it("acknowledges what it honours, then tells just that, once for each change", async () => {
    const tools = listen({ toolsListChanged: true, promptsListChanged: false }, "tools");
    const prompts = listen({ promptsListChanged: true }, "prompts");
    await vi.waitFor(() => expect([tools.events.length, prompts.events.length]).toEqual([1, 1]));
    expect(tools.events[0]).toMatchObject({
      method: "notifications/subscriptions/acknowledged",
      params: { notifications: { toolsListChanged: true }, ...meta("tools") },
    });
    await trigger("test_trigger_tool_change");
    await vi.waitFor(() => expect(tools.events).toHaveLength(2));
    await trigger("test_trigger_prompt_change");
    await vi.waitFor(() => expect(prompts.events).toHaveLength(2));
    expect(tools.events.slice(1)).toEqual([
      { jsonrpc: "2.0", method: "notifications/tools/list_changed", params: meta("tools") },
    ]);
    expect(prompts.events[1]).toMatchObject({ method: "notifications/prompts/list_changed", params: meta("prompts") });
    tools.close();
    prompts.close();
  });

  it("tells of the resources that were asked for", async () => {
    const watch = listen({ resourceSubscriptions: ["test://watched-resource"] }, "w");
    const other = listen({ resourceSubscriptions: ["test://static-text"] }, "o");
    await vi.waitFor(() => expect([watch.events.length, other.events.length]).toEqual([1, 1]));
    await trigger("test_update_resource");
    await vi.waitFor(() =>
      expect(watch.events[1]).toMatchObject({ params: { uri: "test://watched-resource", ...meta("w") } }),
    );
    expect(other.events).toHaveLength(1);
    watch.close();
    other.close();
  });

  it("ends with an empty result when the server stops, or when there is nothing to tell", async () => {
    const nothing = await send(url, modernRequest("subscriptions/listen", { notifications: {} }, { id: "n" }));
    expect(nothing.events).toMatchObject([{ method: "notifications/subscriptions/acknowledged" }, { id: "n", result: { resultType: "complete" } }]); // prettier-ignore
    const stopping = await openWorld(pack);
    const { url: other } = await stopping.listen();
    const request = modernRequest("subscriptions/listen", { notifications: { toolsListChanged: true } }, { id: "s" });
    const stream = openStream(other, { method: "POST", ...request });
    await vi.waitFor(() => expect(stream.events).toHaveLength(1));
    await stopping.close();
    await vi.waitFor(() => expect(stream.isClosed()).toBe(true));
    expect(stream.events[1]).toMatchObject({ id: "s", result: { resultType: "complete", ...meta("s") } });
  });

  it.each([[undefined], [5], [{ toolsListChanged: "yes" }], [{ resourceSubscriptions: [1] }]])(
    "refuses %j",
    async (notifications) => {
      const { headers, body } = modernRequest("subscriptions/listen");
      const params = { ...(body["params"] as object), ...(notifications === undefined ? {} : { notifications }) };
      expect(code(await send(url, { headers, body: { ...body, params } }))).toBe(-32602);
    },
  );
});
