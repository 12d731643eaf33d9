import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { openOneEra } from "../conformance/one-era.ts";
import { connectV1, connectV2, ROOTS, type TestClient } from "../interop/clients.ts";
import { BOTH, modernRequest, openStream, send } from "../support/http.ts";
import { ROOT, startProgram, withTemporaryFolder, type Program } from "../support/program.ts";
import { answerOf, openAsking, untilListed } from "./asking.ts";
import { openGateway } from "./open-gateway.ts";
import { plain } from "./plain.ts";

const PACKS = ["test/conformance/pack.ts", "test/gateway/fixtures/pack.ts"];
const WAIT = { timeout: 10_000, interval: 20 };

type Closing = { close(): Promise<unknown> };
let server: Program;
let gateway: Awaited<ReturnType<typeof openGateway>>;
const closers: Closing[] = [];

beforeAll(async () => {
  const folder = Promise.withResolvers<string>();
  const over = Promise.withResolvers<void>();
  const gone = withTemporaryFolder((made) => (folder.resolve(made), over.promise));
  closers.push({ close: () => (over.resolve(), gone) });
  const packs = PACKS.flatMap((pack) => ["--pack", path.join(ROOT, pack)]);
  server = await startProgram(["--data-dir", await folder.promise, ...packs]);
  closers.push({ close: () => server.stop() });
  const [older, newer] = [await openOneEra(server.url, "legacy"), await openOneEra(server.url, "modern")];
  closers.push(older, newer);
  gateway = await openGateway(
    { older: { url: older.url }, newer: { url: newer.url }, pipe: plain(), "pipe-newer": plain("--modern") },
    { args: ["--exposure", "direct", "--http-sse"] },
  );
  closers.push(gateway);
  await untilListed(await openAsking(gateway.url), "older__chart", "newer__chart", "pipe__echo", "pipe-newer__echo");
}, 60_000);
afterAll(async () => {
  for (const each of closers.toReversed()) await each.close();
});

const CLIENTS: [string, () => Promise<TestClient>][] = [
  ["SDK v1", () => connectV1({ url: gateway.url })],
  ["SDK v2, older era", () => connectV2({ url: gateway.url }, "legacy")],
  ["SDK v2, 2026-07-28", () => connectV2({ url: gateway.url }, "modern")],
];

describe.each(["older", "newer"])("a server of the %s era [servers-four-eras]", (name) => {
  describe.each(CLIENTS)("for a client with %s", (_client, connect) => {
    let client: TestClient;
    let other: TestClient;
    beforeAll(async () => {
      [client, other] = [await connect(), await connect()];
    });
    afterAll(async () => {
      await Promise.all([client.close(), other.close()]);
    });
    const text = async (tool: string, args?: JsonObject) =>
      (await client.call(`${name}__${tool}`, args)).content.map((each) => each.text ?? "").join("\n");

    it("asks for the user, the model and roots, several at once and one after the other", async () => {
      expect(await text("test_input_required_result_elicitation")).toBe("Hello, Ada!");
      expect(await text("test_input_required_result_sampling")).toBe("Paris");
      expect(await text("test_input_required_result_list_roots")).toBe(JSON.stringify(ROOTS));
      expect(await text("test_input_required_result_multiple_inputs")).toBe("Paris Ada");
      expect(await text("test_input_required_result_multi_round")).toBe("Ada likes blue");
    });

    it("answers prompts, resources, templates and completions", async () => {
      const { messages } = await client.getPrompt(`${name}__test_prompt_with_arguments`, { arg1: "x", arg2: "y" });
      expect(JSON.stringify(messages)).toContain("arg1='x'");
      expect(JSON.stringify((await client.readResource("test://template/12/data")).contents)).toContain("12");
      expect(await client.complete(`${name}__test_prompt_with_arguments`, "arg1", "par")).toEqual(["paris", "park", "party"]); // prettier-ignore
    });

    it("tells of progress", async () => {
      const heard: number[] = [];
      await client.call(`${name}__test_tool_with_progress`, {}, { onprogress: ({ progress }) => void heard.push(progress) }); // prettier-ignore
      expect(heard).toEqual(expect.arrayContaining([0, 50])); // clients may count rounds of questions, too
    });

    it("tells of its lists, and of a resource those alone who follow it", async () => {
      await client.subscribe("test://watched-resource");
      await vi.waitFor(async () => {
        await client.call(`${name}__test_update_resource`);
        await vi.waitFor(() => expect(client.heard.updated).toContain("test://watched-resource"), { timeout: 300 });
      }, WAIT);
      expect(other.heard.updated).toEqual([]);
      const before = other.heard.toolsChanged;
      await client.call(`${name}__test_trigger_tool_change`);
      await vi.waitFor(() => expect(other.heard.toolsChanged).toBeGreaterThan(before), WAIT);
    });
  });

  it("asks the user to visit a page, in both eras", async () => {
    const capabilities = { elicitation: { form: {}, url: {} } };
    const session = await openAsking(gateway.url, capabilities);
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: `${name}__visit`, arguments: {} } };
    const headers = { ...session.headers, "content-type": "application/json", accept: BOTH };
    const stream = openStream(gateway.url, { method: "POST", headers, body });
    const asked = { method: "elicitation/create", params: { mode: "url", url: "https://example.com/in" } };
    await expect.poll(() => stream.events).toMatchObject([asked]);
    await session.post({ jsonrpc: "2.0", id: stream.events[0]?.["id"], result: { action: "accept" } });
    await expect.poll(() => stream.events).toHaveLength(2);
    expect(answerOf(stream.events[1] ?? {}).text).toBe("accept");
    stream.close();

    const ask = (more: JsonObject = {}) =>
      send(gateway.url, modernRequest("tools/call", { name: `${name}__visit`, arguments: {}, ...more }, { capabilities })); // prettier-ignore
    const { result } = answerOf((await ask()).body);
    const [[key, request] = ["", {}]] = Object.entries(result["inputRequests"] as JsonObject);
    expect(request).toMatchObject(asked);
    const inputResponses = { [key]: { action: "decline" } };
    expect(answerOf((await ask({ requestState: result["requestState"] ?? "", inputResponses })).body).text).toBe("decline"); // prettier-ignore
  });

  it("shows what MCP Apps need as it is", async () => {
    const client = await openAsking(gateway.url);
    const chart = (await client.tools()).find((tool) => tool["name"] === `${name}__chart`);
    expect(chart?.["_meta"]).toMatchObject({ ui: { resourceUri: "ui://relay/chart", visibility: ["model", "app"] } });
    expect((await client.call(`${name}__chart`)).result["_meta"]).toMatchObject({ ui: { data: [1, 2] } });
    const { result } = await client.ask("resources/read", { uri: "ui://relay/chart" });
    expect(result["contents"]).toMatchObject([{ uri: "ui://relay/chart", mimeType: "text/html;profile=mcp-app", text: "<p>chart</p>" }]); // prettier-ignore
  });
});

it("keeps members of tools that nobody knows", async () => {
  const tools = await (await openAsking(gateway.url)).tools();
  expect(tools.find(({ name }) => name === "pipe__echo")).toMatchObject({ icons: [{ src: "data:,x" }] });
  expect(tools.find(({ name }) => name === "pipe__sleep")).toMatchObject({ vendor: { kept: true } });
});

it("tells servers what the client can, without what needs something from us", async () => {
  const ui = { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } };
  const extensions = { ...ui, "io.modelcontextprotocol/tasks": {} };
  const capabilities = { sampling: {}, elicitation: { form: {} }, extensions, tasks: { list: {} } };
  const wanted = { sampling: {}, elicitation: { form: {} }, extensions: ui };
  const session = await openAsking(gateway.url, capabilities);
  const modern = async (name: string) =>
    answerOf((await send(gateway.url, modernRequest("tools/call", { name, arguments: {} }, { capabilities }))).body);
  for (const name of ["pipe__can", "pipe-newer__can"]) {
    for (const { text } of [await session.call(name), await modern(name)]) {
      const told = JSON.parse(text) as JsonObject;
      expect(told).toMatchObject(wanted);
      expect(text).not.toContain("tasks");
    }
  }
});

it("serves a client of 2024-11-05 over HTTP+SSE, questions included", async () => {
  const client = new Client({ name: "old", version: "1" }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept" as const, content: { name: "Ada" } }));
  await client.connect(new SSEClientTransport(new URL("/sse", gateway.url)));
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toContain("older__test_simple_text");
  for (const name of ["older", "newer"]) {
    const { content } = await client.callTool({ name: `${name}__test_input_required_result_elicitation` });
    expect(content).toEqual([{ type: "text", text: "Hello, Ada!" }]);
  }
  await client.close();
});
