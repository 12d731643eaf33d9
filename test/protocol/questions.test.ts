import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import type { Principal } from "../../src/core/caller.ts";
import { LOCAL } from "../../src/core/caller.ts";
import pack from "../interop/pack.ts";
import { modernRequest, send } from "../support/http.ts";
import { openWorld, type World } from "../support/open-world.ts";

const alice: Principal = { id: "alice", kind: "user", isAdmin: false };
let now = Date.parse("2026-01-01T00:00:00Z");
let world: World;
let url: string;
beforeAll(async () => {
  const identify = (headers: { authorization?: string | undefined }) => (headers.authorization ? alice : LOCAL);
  world = await openWorld(pack, { askTtlMs: 60_000 }, { identify, now: () => now });
  ({ url } = await world.listen());
});
afterAll(() => world.close());

const CAN = { elicitation: {}, sampling: {}, roots: {} };
const TWICE = "test_input_required_result_multi_round";
const accept = (content: JsonObject) => ({ action: "accept", content });

async function call(name: string, more: JsonObject = {}, headers: Record<string, string> = {}): Promise<JsonObject> {
  return (
    await send(url, modernRequest("tools/call", { name, arguments: {}, ...more }, { capabilities: CAN, headers }))
  ).body;
}
async function stateOf(name: string): Promise<string> {
  return String(((await call(name))["result"] as JsonObject)["requestState"]);
}

describe("questions to a client of 2026-07-28", () => {
  it("go over several rounds, and nothing is kept in between", async () => {
    const first = (await call(TWICE))["result"] as JsonObject;
    expect(first).toMatchObject({
      resultType: "input_required",
      inputRequests: { step1: { method: "elicitation/create" } },
    });
    const second = (await call(TWICE, { inputResponses: { step1: accept({ name: "Ada" }) }, requestState: first["requestState"] ?? "" }))["result"] as JsonObject; // prettier-ignore
    expect(Object.keys(second["inputRequests"] as JsonObject)).toEqual(["step2"]);
    const third = await call(TWICE, { inputResponses: { step2: accept({ color: "blue" }) }, requestState: second["requestState"] ?? "" }); // prettier-ignore
    expect(third["result"]).toMatchObject({ resultType: "complete", content: [{ text: "Ada likes blue" }] });
  });

  it("are asked again when the answer is none", async () => {
    const answered = await call(TWICE, { inputResponses: { step1: { action: "maybe" } } });
    expect(answered["result"]).toMatchObject({ resultType: "input_required" });
  });

  it.each([
    ["a number", 5],
    ["null", null],
    ["an answer that is a number", { step1: 5 }],
  ])("refuse %s as answers", async (_what, inputResponses) => {
    expect((await call(TWICE, { inputResponses }))["error"]).toMatchObject({ code: -32602 });
  });

  it("refuse an accepted form whose content does not fit, and take it again when it does", async () => {
    const requestState = await stateOf(TWICE);
    for (const content of [{ name: 5 }, {}]) {
      const refusal = { code: -32602, data: { code: "INVALID_ARGUMENTS", answer: "step1" } };
      expect((await call(TWICE, { inputResponses: { step1: accept(content) }, requestState }))["error"]).toMatchObject(refusal); // prettier-ignore
    }
    const again = await call(TWICE, { inputResponses: { step1: accept({ name: "Ada" }) }, requestState });
    expect(again["result"]).toMatchObject({ resultType: "input_required", inputRequests: { step2: {} } });
  });

  const answer = { step1: accept({ name: "Ada" }) };
  const refused = async (requestState: unknown, headers = {}, name = TWICE, args: JsonObject = {}) =>
    (await call(name, { inputResponses: answer, requestState: requestState as string, arguments: args }, headers))[
      "error"
    ];

  it("refuse a state that was changed, cut or made up", async () => {
    const state = await stateOf(TWICE);
    const [text = "", signature = ""] = state.split(".");
    const forged = Buffer.from(JSON.stringify({ v: 1, for: "x", until: 1e15, answers: answer })).toString("base64url");
    for (const bad of [`${state}x`, text, `${text}.`, `x${state}`, `${forged}.${signature}`, "", "a.b.c"]) {
      expect(await refused(bad)).toMatchObject({ code: -32602, data: { reason: "tampered" } });
    }
    expect(await refused(5)).toMatchObject({ code: -32602 });
  });

  it("refuse the state of another caller, another tool or other arguments [mcp-state-bound]", async () => {
    const state = await stateOf(TWICE);
    const mismatch = { code: -32602, data: { reason: "mismatch" } };
    expect(await refused(state, { authorization: "Bearer alice" })).toMatchObject(mismatch);
    expect(await refused(state, {}, "test_input_required_result_elicitation")).toMatchObject(mismatch);
    expect(await refused(state, {}, TWICE, { other: 1 })).toMatchObject(mismatch);
    // It would have been taken from the right one.
    expect(await refused(state)).toBeUndefined();
  });

  it("refuse answers that come too late, and take those that come in time", async () => {
    const state = await stateOf(TWICE);
    now += 60_000;
    expect(await refused(state)).toBeUndefined();
    now += 1;
    expect(await refused(state)).toMatchObject({ code: -32602, data: { reason: "expired" } });
  });

  it("come with prompts, too", async () => {
    const prompt = { name: "test_input_required_result_prompt" };
    const { body } = await send(url, modernRequest("prompts/get", prompt, { capabilities: CAN }));
    expect(body["result"]).toMatchObject({ resultType: "input_required" });
  });
});
