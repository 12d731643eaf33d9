import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { definePack } from "../../src/packs/pack.ts";
import { modernRequest, openSession, send, type Sent } from "../support/http.ts";
import { openWorld, type World } from "../support/open-world.ts";
import { startSdkServer, TOOLS } from "./sdk-server.ts";

/*
 * The front is our own code, so what it puts on the wire is compared with what the SDK's low-level server puts there
 * for the same tools. Texts of errors, who we say we are and our own facts in `data` may differ; the rest is listed
 * where it does.
 */

const pack = definePack({
  name: "wire",
  tools: TOOLS.map((tool) => ({ ...tool, run: ({ text }) => (tool.name === "echo" ? String(text) : { a: 1 }) })),
});

let world: World;
let sdk: Awaited<ReturnType<typeof startSdkServer>>;
const urls = { ours: "", sdk: "" };
beforeAll(async () => {
  world = await openWorld(pack);
  sdk = await startSdkServer();
  urls.ours = (await world.listen()).url;
  urls.sdk = sdk.url;
});
afterAll(() => Promise.all([world.close(), sdk.close()]));

const SERVER_INFO = "io.modelcontextprotocol/serverInfo";

/** What has to be the same: the status, and the body without texts for people. */
async function shown(url: string, sent: Sent) {
  const { status, body } = await send(url, sent);
  const { error, result, ...rest } = body as { error?: { code: number }; result?: JsonObject };
  const meta = result?.["_meta"] as JsonObject | undefined;
  const { [SERVER_INFO]: serverInfo, ...others } = meta ?? {};
  return {
    status,
    ...rest,
    ...(error ? { code: error.code } : {}),
    ...(result
      ? { result: { ...result, _meta: others, serverInfo: Object.keys((serverInfo ?? {}) as object).toSorted() } }
      : {}),
  };
}

async function compare(make: (side: "ours" | "sdk") => Promise<Sent> | Sent) {
  const [ours, theirs] = await Promise.all([shown(urls.ours, await make("ours")), shown(urls.sdk, await make("sdk"))]);
  return { ours, theirs };
}

describe("on the wire of 2026-07-28", () => {
  const version = (named: string, inMeta = named) => ({
    headers: { "mcp-protocol-version": named },
    meta: { "io.modelcontextprotocol/protocolVersion": inMeta },
  });
  const echo = { name: "echo", arguments: { text: "hello" } };

  it.each<[string, Parameters<typeof modernRequest>]>([
    ["tools/list", ["tools/list"]],
    ["tools/call", ["tools/call", echo]],
    ["tools/call with structured content", ["tools/call", { name: "object", arguments: {} }]],
    ["an unknown method", ["nothing"]],
    ["a method of the older era", ["ping"]],
    ["initialize", ["initialize"]],
    ["a version that is not served", ["tools/list", {}, version("2099-01-01")]],
    ["a version that is none", ["tools/list", {}, version("v999")]],
    ["two versions", ["tools/list", {}, version("2026-07-28", "2025-11-25")]],
    ["another method in the header", ["tools/call", echo, { headers: { "mcp-method": "tools/list" } }]],
    ["another name in the header", ["tools/call", echo, { headers: { "mcp-name": "object" } }]],
    ["a name in base64", ["tools/call", echo, { headers: { "mcp-name": "=?base64?ZWNobw==?=" } }]],
    ["a name in broken base64", ["tools/call", echo, { headers: { "mcp-name": "=?base64?ZWNo=bw?=" } }]],
    ["capabilities that are none", ["tools/list", {}, { meta: { "io.modelcontextprotocol/clientCapabilities": 1 } }]],
    ["listening to nothing in particular", ["subscriptions/listen"]],
    ["a call without a name", ["tools/call", { arguments: {} }]],
  ])("%s", async (_what, request) => {
    const { ours, theirs } = await compare(() => modernRequest(request[0], request[1], { id: 7, ...request[2] }));
    expect(ours).toEqual(theirs);
  });

  it.each(["mcp-protocol-version", "mcp-method", "mcp-name"])("a request without the header %s", async (name) => {
    const { ours, theirs } = await compare(() => {
      const { headers, body } = modernRequest("tools/call", echo, { id: 7 });
      const { [name]: left, ...others } = headers;
      void left;
      return { headers: others, body };
    });
    expect(ours).toEqual(theirs);
  });

  it.each(["io.modelcontextprotocol/clientCapabilities", "io.modelcontextprotocol/protocolVersion"])(
    "a request without %s",
    async (key) => {
      const { ours, theirs } = await compare(() => {
        const { headers, body } = modernRequest("tools/list", {}, { id: 7 });
        const { _meta } = body["params"] as { _meta: JsonObject };
        const { [key]: left, ...others } = _meta;
        void left;
        return { headers, body: { ...body, params: { _meta: others } } };
      });
      expect(ours).toEqual(theirs);
    },
  );

  it("a cursor that is a number: bad params, where the SDK blames itself", async () => {
    const { ours, theirs } = await compare(() => modernRequest("tools/list", { cursor: 5 }, { id: 7 }));
    expect([ours, theirs]).toMatchObject([
      { status: 200, code: -32602 },
      { status: 200, code: -32603 },
    ]);
  });

  it("server/discover, but for what we can do and how long that may be kept", async () => {
    const { ours, theirs } = await compare(() => modernRequest("server/discover", {}, { id: 7 }));
    const { capabilities, ttlMs, cacheScope, ...rest } = ours.result as JsonObject;
    expect(capabilities).toMatchObject({ tools: { listChanged: true } });
    expect([ttlMs, cacheScope]).toEqual([60_000, "public"]);
    expect(rest).toEqual(expect.objectContaining({ supportedVersions: ["2026-07-28"], resultType: "complete" }));
    expect(Object.keys(ours.result as JsonObject).toSorted()).toEqual(
      Object.keys(theirs.result as JsonObject).toSorted(),
    );
  });
});

describe("on the wire of the older era", () => {
  const sessions = { ours: {}, sdk: {} } as Record<"ours" | "sdk", Record<string, string>>;
  beforeAll(async () => {
    for (const side of ["ours", "sdk"] as const) sessions[side] = (await openSession(urls[side])).headers;
  });
  const request = (method: string, params?: object) => ({
    jsonrpc: "2.0",
    id: 7,
    method,
    ...(params ? { params } : {}),
  });

  it.each<[string, object | string]>([
    ["tools/list", request("tools/list")],
    ["tools/call", request("tools/call", { name: "echo", arguments: { text: "hello" } })],
    ["tools/call with structured content", request("tools/call", { name: "object" })],
    ["ping", request("ping")],
    ["an unknown method", request("nothing")],
    ["a call without a name", request("tools/call", {})],
    ["a notification", { jsonrpc: "2.0", method: "notifications/initialized" }],
    ["an answer that nobody waits for", { jsonrpc: "2.0", id: 99, result: {} }],
  ])("%s", async (_what, body) => {
    const { ours, theirs } = await compare((side) => ({ headers: sessions[side], body }));
    expect(ours).toEqual(theirs);
  });

  it("no session and an unknown one: the same statuses, but not its old error numbers", async () => {
    const without = await compare(() => ({ body: request("tools/list") }));
    expect([without.ours.status, without.theirs.status]).toEqual([400, 400]);
    const unknown = await compare(() => ({ headers: { "mcp-session-id": "x" }, body: request("tools/list") }));
    expect(unknown.ours.status).toBe(404);
  });

  it("the end of a session, and what comes after it", async () => {
    for (const url of [urls.ours, urls.sdk]) {
      const session = await openSession(url);
      expect((await session.end()).status).toBe(200);
      expect((await session.ask("ping")).status).toBe(404);
    }
  });
});
