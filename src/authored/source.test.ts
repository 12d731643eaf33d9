import { describe, expect, it } from "vitest";
import type { Caller } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import type { ToolItem, ToolResult } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import { SILENT, type RunContext } from "../core/source.ts";
import * as zod from "../core/zod.ts";
import { actorOf } from "./authored.ts";
import { createAuthored } from "./create-authored.ts";
import { runOnceDraft, toolDraft, toolPatch } from "./definition.ts";
import { createTestServices } from "./fixtures/services.ts";

const caller: Caller = { principal: { id: "alice", kind: "local", isAdmin: false } };
const by = { principal: "alice", deadline: new Deadline(60_000) };
const patch = (fields: JsonObject) => toolPatch(zod).parse(fields);

function context(deadline = new Deadline(10_000)): RunContext {
  return {
    caller,
    deadline,
    log: SILENT,
    callId: "call",
    depth: 0,
    io: {
      can: { elicitForm: false, elicitUrl: false, sampling: false, roots: false },
      ask: () => Promise.reject(new Error("nobody to ask")),
      progress() {},
      log() {},
    },
    callTool: () => Promise.reject(new Error("no other tools")),
  };
}

async function open() {
  const test = createTestServices();
  const authored = await createAuthored(test.services);
  const { tools, source } = authored;
  const item = (name: string): ToolItem => {
    const listing = source.items("tool", caller).find((each) => each.name === name);
    if (!listing) throw new Error(`${name} is not listed`);
    return listing.load();
  };
  return {
    ...test,
    ...authored,
    item,
    create: (fields: JsonObject) =>
      tools.create(toolDraft(zod).parse({ name: "t", description: "A tool", ...fields }), by),
    async call(name: string, args: JsonObject = {}, ctx = context()) {
      const target = { kind: "tool", item: item(name) } as const;
      const fitting = (await source.check?.(target.item, args)) ?? args;
      return (await source.run({ ...target, args: fitting }, ctx)) as ToolResult;
    },
  };
}

describe("listing", () => {
  it("gives the same array until something changed, and the same line for a tool that did not", async () => {
    const { source, create } = await open();
    await create({ name: "a", code: "1" });
    const before = source.items("tool", caller);
    expect(source.items("tool", caller)).toBe(before);
    let told = 0;
    source.onChange(() => told++);
    await create({ name: "b", code: "1" });
    const after = source.items("tool", caller);
    expect(after).not.toBe(before);
    expect(after[0]).toBe(before[0]);
    expect(after.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(told).toBe(1);
  });

  it("keeps the order by key through creates, updates and removals", async () => {
    const { source, create, tools } = await open();
    for (const name of ["m", "c.x", "z", "c_a", "B"]) await create({ name, code: "1" });
    await tools.update("m", patch({ title: "M" }), by);
    await tools.remove("c_x", by);
    expect(source.items("tool", caller).map(({ name }) => name)).toEqual(["B", "c_a", "m", "z"]);
  });

  it("leaves out what is disabled, and brings it back", async () => {
    const { source, create, tools } = await open();
    await create({ name: "a", code: "1", enabled: false });
    expect(source.items("tool", caller)).toEqual([]);
    await tools.enable("a", true, by);
    expect(source.items("tool", caller)).toHaveLength(1);
  });

  it("sees what another process makes, changes and deletes", async () => {
    const ours = await open();
    const theirs = await createAuthored(ours.services);
    await ours.create({ name: "shared", code: "return 1" });
    const names = () => theirs.source.items("tool", caller).map((each) => `${each.name} ${each.load().revision}`);
    await expect.poll(names).toEqual(["shared 1"]);
    await ours.tools.update("shared", patch({ title: "New" }), by);
    await expect.poll(names).toEqual(["shared 2"]);
    await ours.tools.remove("shared", by);
    await expect.poll(names).toEqual([]);
  });

  it("reads one row for one change", async () => {
    const { create, store } = await open();
    for (let n = 0; n < 20; n++) await create({ name: `t${n}`, code: "1" });
    const lists = store.calls["list"] ?? 0;
    await create({ name: "one.more", code: "1" });
    // The store's own count of live tools is the only one who lists.
    expect((store.calls["list"] ?? 0) - lists).toBeLessThanOrEqual(1);
  });

  it("lists schemas; an output schema of no object as the wrapped result, references moved along", async () => {
    const { create, item } = await open();
    await create({
      code: "return [1]",
      outputSchema: { type: "array", items: { $ref: "#/$defs/n" }, $defs: { n: { type: "number" } } },
    });
    expect(item("t")).toMatchObject({
      inputSchema: { type: "object" },
      outputSchema: {
        type: "object",
        properties: { result: { type: "array", items: { $ref: "#/properties/result/$defs/n" } } },
        required: ["result"],
      },
    });
  });
});

describe("arguments", () => {
  it("unwraps the one key args where a tool has no input schema", async () => {
    const { create, call } = await open();
    await create({ code: "return args" });
    expect((await call("t", { args: { text: "hi" } })).structuredContent).toEqual({ text: "hi" });
    expect((await call("t", { args: { text: "hi" }, more: 1 })).structuredContent).toEqual({
      args: { text: "hi" },
      more: 1,
    });
    expect((await call("t", { args: "hi" })).structuredContent).toEqual({ args: "hi" });
  });

  it("checks them against the schema of the revision that is run", async () => {
    const { create, call } = await open();
    await create({ code: "return 1", inputSchema: { type: "object", properties: { text: {} }, required: ["text"], additionalProperties: false } }); // prettier-ignore
    await expect(call("t", { txt: 1 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENTS",
      message: expect.stringMatching(
        /arguments of t .*\/text is required.*unknown property "txt"; did you mean "text"/,
      ),
    });
    expect((await call("t", { text: 1 })).isError).toBeUndefined();
  });

  it("keeps __proto__ as a name", async () => {
    const { create, call } = await open();
    await create({ code: "return Object.keys(args)" });
    const args = JSON.parse('{"__proto__":{"admin":true}}') as JsonObject;
    expect((await call("t", args)).structuredContent).toEqual({ result: ["__proto__"] });
    expect(Object.hasOwn(Object.prototype, "admin")).toBe(false);
  });
});

describe("results", () => {
  it("gives an object as it is, anything else as { result }, and JSON text of what was returned", async () => {
    const { create, call } = await open();
    await create({ code: "return args.give" });
    expect(await call("t", { give: { a: 1 } })).toEqual({ content: [{ type: "text", text: '{"a":1}' }], structuredContent: { a: 1 } }); // prettier-ignore
    expect(await call("t", { give: [1] })).toMatchObject({
      content: [{ text: "[1]" }],
      structuredContent: { result: [1] },
    });
    expect(await call("t", {})).toMatchObject({ content: [{ text: "null" }], structuredContent: { result: null } });
  });

  it("wraps by the output schema, not by what came", async () => {
    const { create, call } = await open();
    await create({ code: "return { a: 1 }", outputSchema: { anyOf: [{ type: "object" }, { type: "string" }] } });
    expect((await call("t")).structuredContent).toEqual({ result: { a: 1 } });
  });

  it("says where a result does not fit the output schema", async () => {
    const { create, call } = await open();
    await create({
      code: "return { n: 'x' }",
      outputSchema: { type: "object", properties: { n: { type: "number" } } },
    });
    const result = await call("t");
    expect(result).toMatchObject({ isError: true, _meta: { "dynamic-mcp/error": { code: "INVALID_RESULT" } } });
    expect(result.content[0]).toMatchObject({ text: expect.stringContaining('/n must be number, got the string "x"') });
  });

  it("tells name, message and line of what was thrown, with what was printed before", async () => {
    const { create, call } = await open();
    await create({ code: "console.log('so far'); throw new RangeError('too much')" });
    expect(await call("t")).toEqual({
      content: [{ type: "text", text: "RangeError: too much (line 1, column 7)" }],
      isError: true,
      _meta: {
        "dynamic-mcp/error": {
          code: "CODE_THREW",
          retryable: false,
          data: { errorName: "RangeError", line: 1, column: 7 },
        },
        "dynamic-mcp/logs": [{ level: "log", text: "so far" }],
      },
    });
  });

  it("stops at the tool's own time limit, and passes on the end of the call", async () => {
    const { create, call, engine } = await open();
    await create({ code: "await new Promise(() => {})", timeoutMs: 100 });
    expect(await call("t")).toMatchObject({ isError: true, _meta: { "dynamic-mcp/error": { code: "TIMEOUT" } } });
    const deadline = new Deadline(10_000);
    const ended = call("t", {}, context(deadline)).catch((error: unknown) => error);
    await expect.poll(() => engine.runs, { interval: 1 }).toBe(2);
    deadline.end("client");
    expect(await ended).toMatchObject({ code: "CANCELLED" });
  });

  it("runs the revision that was resolved, whoever wrote meanwhile", async () => {
    const { create, item, source, tools, services } = await open();
    await create({ code: "return 'old'" });
    const old = item("t");
    await tools.update("t", patch({ code: "return 'new'" }), by);
    const again = await createAuthored(services); // nothing cached
    const run = (at: ToolItem) => again.source.run({ kind: "tool", item: at, args: {} }, context());
    expect(await run(old)).toMatchObject({ structuredContent: { result: "old" } });
    expect(await run(item("t"))).toMatchObject({ structuredContent: { result: "new" } });
    await tools.remove("t", by);
    await expect((await createAuthored(services)).source.run({ kind: "tool", item: old, args: {} }, context())).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" }); // prettier-ignore
    expect(source.items("tool", caller)).toEqual([]);
  });
});

it("runs code once and keeps nothing", async () => {
  const { runOnce, counts } = await open();
  const draft = runOnceDraft(zod).parse({ code: "return args.a + 1", args: { a: 1 } });
  expect((await runOnce(draft, actorOf(context()))).structuredContent).toEqual({ result: 2 });
  await expect(runOnce(runOnceDraft(zod).parse({ code: "}" }), actorOf(context()))).rejects.toMatchObject({
    code: "INVALID_CODE",
  });
  expect(counts().tools).toBe(0);
});
