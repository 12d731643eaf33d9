import { expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { Paused } from "../core/pause.ts";
import { rawTextOf } from "../core/raw-text.ts";
import { modernServer } from "./fixtures/modern-connect.ts";
import {
  callTool,
  CAN_NOTHING,
  known,
  openFleet,
  rawServer,
  run,
  testClient,
  toolNamed,
} from "./fixtures/open-fleet.ts";

const TOOL = { name: "tool", inputSchema: { type: "object", properties: { region: { type: "string", "x-mcp-header": "Region" }, n: { type: "integer", "x-mcp-header": "N" } } } }; // prettier-ignore
const done = (text: string): JsonObject => ({ resultType: "complete", content: [{ type: "text", text }] });
const ask = { method: "elicitation/create", params: { message: "who?", requestedSchema: { type: "object" } } };

/** Asks once, then says what it got. */
function asking(params: JsonObject): JsonObject {
  if (params["requestState"] === undefined) {
    return { resultType: "input_required", inputRequests: { theirs: ask }, requestState: "opaque" };
  }
  return done(JSON.stringify([params["inputResponses"], params["requestState"]]));
}

it("asks a client of the older era at once, and goes on with its answers", async () => {
  const server = modernServer(asking, [TOOL]);
  await using fleet = openFleet([rawServer("m")], server);
  await known(fleet, "m");
  const client = testClient({ answers: () => ({ action: "accept" }) });
  expect(JSON.parse(await callTool(fleet, "m__tool", {}, client))).toEqual([
    { theirs: { action: "accept" } },
    "opaque",
  ]);
  expect(client.asked).toEqual([{ theirs: ask }]);
});

it("passes the questions of a run on to a client of its own revision, keys and state unchanged", async () => {
  const server = modernServer(asking, [TOOL]);
  await using fleet = openFleet([rawServer("m")], server);
  await known(fleet, "m");
  const paused = (await callTool(fleet, "m__tool").catch((each: unknown) => each)) as Paused;
  expect(paused).toBeInstanceOf(Paused);
  expect(paused.asks).toEqual({ theirs: ask });
  const resumed = { state: paused.state ?? "", answers: { theirs: { action: "decline" } } };
  expect(JSON.parse(await callTool(fleet, "m__tool", {}, testClient({ resumed })))).toEqual([{ theirs: { action: "decline" } }, "opaque"]); // prettier-ignore
  // Other arguments: the answers are not for these.
  await expect(callTool(fleet, "m__tool", { n: 1 }, testClient({ resumed }))).rejects.toBeInstanceOf(Paused);
});

it("ends a call that never stops asking", async () => {
  await using fleet = openFleet([rawServer("m")], modernServer(() => ({ resultType: "input_required", inputRequests: { a: ask } }), [TOOL])); // prettier-ignore
  await known(fleet, "m");
  const client = testClient({ answers: () => ({ action: "accept" }) });
  await expect(callTool(fleet, "m__tool", {}, client)).rejects.toMatchObject({ code: "OVERLOADED" });
  expect(client.asked).toHaveLength(8);
});

it("takes out what each server says for itself, and keeps the text where it can", async () => {
  const results: JsonObject[] = [
    { resultType: "complete", content: [], vendor: 1 },
    {
      content: [],
      _meta: { "io.modelcontextprotocol/serverInfo": { name: "theirs" }, own: 1 },
      resultType: "complete",
    },
  ];
  await using fleet = openFleet(
    [rawServer("m")],
    modernServer(() => results.shift() ?? {}, [TOOL]),
  );
  await known(fleet, "m");
  const item = toolNamed(fleet, "m__tool");
  const first = await run(fleet, { kind: "tool", item, args: {} });
  expect(first).toEqual({ content: [], vendor: 1 });
  expect(rawTextOf(first)).toBe('{"content":[],"vendor":1}');
  expect(await run(fleet, { kind: "tool", item, args: {} })).toEqual({ content: [], _meta: { own: 1 } });
});

it.each([
  { resultType: "task", taskId: "1" },
  { resultType: "other" },
  { resultType: "input_required", inputRequests: { a: { method: "tools/list" } } },
])("refuses an answer that was not asked for: %j", async (result) => {
  // prettier-ignore
  await using fleet = openFleet([rawServer("m")], modernServer(() => result, [TOOL]));
  await known(fleet, "m");
  await expect(callTool(fleet, "m__tool")).rejects.toMatchObject({ code: "UPSTREAM_INVALID" });
});

it("repeats arguments as headers where the tool's schema asks for it, and shares one connection", async () => {
  const server = modernServer(() => done("x"), [TOOL]);
  await using fleet = openFleet([rawServer("m", {}, { isInteractive: true })], server);
  await known(fleet, "m");
  await callTool(fleet, "m__tool", { region: "eu", n: 5 });
  expect(server.requests.at(-1)?.options.headers).toEqual({ "mcp-param-region": "eu", "mcp-param-n": "5" });
  const client = testClient({ can: CAN_NOTHING, caller: { ...testClient().caller, channel: "two" } });
  await callTool(fleet, "m__tool", {}, client);
  expect(server.requests.at(-1)?.options.relay?.can).toBe(CAN_NOTHING);
  expect(server.requests.at(-1)?.options.headers).toEqual({});
  expect(fleet.counts().connected).toBe(1);
});

it("subscribes as servers of either era are told of it, and says what has changed", async () => {
  const server = modernServer(() => done("x"), [TOOL]);
  await using fleet = openFleet([rawServer("m")], server);
  await known(fleet, "m");
  const [resource] = fleet.source.items("resource", testClient().caller);
  const updated: string[] = [];
  fleet.source.onResourceUpdated?.((uri) => updated.push(uri));
  const end = fleet.source.watch?.("m://one", resource?.id ?? "", testClient().caller);
  const asked = () => server.requests.filter(({ method }) => method.endsWith("subscribe"));
  await expect.poll(() => asked()).toMatchObject([{ method: "resources/subscribe", params: { uri: "m://one" } }]);
  server.notify("notifications/resources/updated", { uri: "m://one" });
  expect(updated).toEqual(["m://one"]);
  end?.();
  await expect.poll(() => asked().at(-1)?.method).toBe("resources/unsubscribe");
});
