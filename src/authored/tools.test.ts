import { describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import type { JsonObject } from "../core/json.ts";
import * as zod from "../core/zod.ts";
import { createAuthored } from "./create-authored.ts";
import { toolDraft, toolPatch, type ToolDraft } from "./definition.ts";
import { createTestServices } from "./fixtures/services.ts";
import type { AuthoredSettings } from "./services.ts";

const by = { principal: "alice", deadline: new Deadline(60_000) };
const UPPER = { name: "text.upper", description: "Shouts", code: "return args.text.toUpperCase()" };
const draft = (fields: JsonObject = {}): ToolDraft => toolDraft(zod).parse({ ...UPPER, ...fields });
const patch = (fields: JsonObject) => toolPatch(zod).parse(fields);

async function open(settings: Partial<AuthoredSettings> = {}) {
  const test = createTestServices(settings);
  const { tools, source, counts } = await createAuthored(test.services);
  return { ...test, tools, source, counts };
}

describe("create", () => {
  it("keeps a tool at revision 1, with its author, time and engine", async () => {
    const { tools } = await open();
    const { tool, isWritten } = await tools.create(draft(), by);
    expect(isWritten).toBe(true);
    expect(tool).toMatchObject({ name: "text.upper", wireName: "text_upper", revision: 1, enabled: true, image: "node:lts-slim", timeoutMs: 30_000, engine: { engine: "quickjs" } }); // prettier-ignore
    expect(await tools.history("text_upper", { limit: 10 })).toMatchObject({
      revisions: [{ revision: 1, change: "create", author: "alice", at: expect.stringMatching(/^2026-01-01T.*Z$/) }],
    });
  });

  it.each([
    ["a name with spaces", { name: "my tool" }, "INVALID_NAME"],
    ["an emoji", { name: "tool😀" }, "INVALID_NAME"],
    ["__proto__ as a name", { name: "__proto__" }, "INVALID_NAME"],
    ["a name of two megabytes", { name: "x".repeat(2_000_000) }, "INVALID_NAME"],
    ["a built-in tool's name", { name: "system.health" }, "NAME_RESERVED"],
    ["a built-in tool's wire name", { name: "system_health" }, "NAME_RESERVED"],
    ["a name that is still to come", { name: "mcp-find" }, "NAME_RESERVED"],
    ["a built-in tool's name in capitals", { name: "Tool_Call" }, "NAME_RESERVED"],
    ["a schema that is not a schema", { inputSchema: { type: "objekt" } }, "INVALID_SCHEMA"],
    ["a schema of the network", { inputSchema: { type: "object", $ref: "https://example.com/" } }, "INVALID_SCHEMA"],
    ["code that does not parse", { code: "return (" }, "INVALID_CODE"],
    ["packages", { dependencies: [{ name: "zod", version: "4" }] }, "ENGINE_UNAVAILABLE"],
    ["an example that fails", { examples: [{ args: {} }] }, "EXAMPLE_FAILED"],
  ])("refuses %s and keeps nothing", async (_what, fields, code) => {
    const { tools, store } = await open();
    await expect(tools.create(draft(fields), by)).rejects.toMatchObject({ code });
    expect(await store.items.list("tool")).toEqual([]);
  });

  it("refuses a second spelling of the same wire name", async () => {
    const { tools } = await open();
    await tools.create(draft({ name: "a.b" }), by);
    await expect(tools.create(draft({ name: "a_b" }), by)).rejects.toMatchObject({ code: "NAME_TAKEN", data: { name: "a.b" } }); // prettier-ignore
  });

  it("refuses a name that another source has", async () => {
    const { services } = await open();
    const { tools } = await createAuthored({
      ...services,
      takenBy: (key) => (key === "echo" ? "the pack demo" : undefined),
    });
    await expect(tools.create(draft({ name: "echo" }), by)).rejects.toMatchObject({ code: "NAME_TAKEN" });
  });

  it("holds the maximum number of tools", async () => {
    const { tools } = await open({ maxTools: 1 });
    await tools.create(draft(), by);
    await expect(tools.create(draft({ name: "second" }), by)).rejects.toMatchObject({ code: "TOOL_LIMIT" });
  });

  it("says which example failed, with what was got and what was expected", async () => {
    const { tools } = await open();
    const examples = [{ args: { text: "a" }, result: "A" }, { args: { text: "b" }, result: "C" }]; // prettier-ignore
    await expect(tools.create(draft({ examples }), by)).rejects.toMatchObject({
      code: "EXAMPLE_FAILED",
      message: 'example 2 of 2 returned "B", expected "C"; nothing was stored',
      data: { example: 2, got: "B", expected: "C" },
    });
  });

  it("checks examples against both schemas", async () => {
    const { tools } = await open();
    const inputSchema = { type: "object", required: ["text"] };
    await expect(tools.create(draft({ inputSchema, examples: [{ args: {} }] }), by)).rejects.toMatchObject({ code: "EXAMPLE_FAILED", message: expect.stringContaining("/text is required") }); // prettier-ignore
    const late = draft({ outputSchema: { type: "number" }, examples: [{ args: { text: "a" } }] });
    await expect(tools.create(late, by)).rejects.toMatchObject({ code: "EXAMPLE_FAILED" });
  });

  it("ends examples that take too long together", async () => {
    const { tools } = await open({ maxExamplesMs: 100 });
    const code = "await new Promise(() => {})";
    await expect(tools.create(draft({ code, examples: [{ args: {} }] }), by)).rejects.toMatchObject({
      code: "EXAMPLE_FAILED",
    });
  });

  it("only runs the examples in a dry run", async () => {
    const { tools, store } = await open();
    const done = await tools.create(draft({ examples: [{ args: { text: "a" } }] }), by, { dryRun: true });
    expect(done).toMatchObject({ isWritten: false, tool: { revision: 0 }, examples: [{ result: "A" }] });
    expect(await store.items.list("tool")).toEqual([]);
  });

  it("changes nothing in read-only mode, but tries things out", async () => {
    const { tools } = await open({ isReadOnly: true });
    await expect(tools.create(draft(), by)).rejects.toMatchObject({ code: "READ_ONLY" });
    await expect(tools.remove("x", by)).rejects.toMatchObject({ code: "READ_ONLY" });
    await expect(tools.create(draft(), by, { dryRun: true })).resolves.toMatchObject({ isWritten: false });
  });
});

describe("update", () => {
  it("changes fields, clears them with null, and numbers the revision", async () => {
    const { tools } = await open();
    await tools.create(draft({ title: "Upper", inputSchema: { type: "object" } }), by);
    const { tool } = await tools.update(
      "text_upper",
      patch({ title: null, inputSchema: null, description: "Louder" }),
      by,
    );
    expect(tool).toMatchObject({ revision: 2, description: "Louder" });
    expect(tool.title).toBeUndefined();
    expect(tool.inputSchema).toBeUndefined();
  });

  it("writes nothing when nothing changes", async () => {
    const { tools } = await open();
    await tools.create(draft(), by);
    expect(await tools.update("text.upper", patch({}), by)).toMatchObject({ isWritten: false, tool: { revision: 1 } });
    expect(await tools.enable("text.upper", true, by)).toMatchObject({ isWritten: false, tool: { revision: 1 } });
  });

  it("runs the examples again only when something that runs changed", async () => {
    const { tools, engine } = await open();
    await tools.create(draft({ examples: [{ args: { text: "a" }, result: "A" }] }), by);
    await tools.update("text.upper", patch({ title: "New" }), by);
    expect(engine.runs).toBe(1);
    await expect(tools.update("text.upper", patch({ code: "return 'x'" }), by)).rejects.toMatchObject({
      code: "EXAMPLE_FAILED",
    });
    expect((await tools.get("text.upper")).code).toBe(UPPER.code);
  });

  it("refuses a stale revision", async () => {
    const { tools } = await open();
    await tools.create(draft(), by);
    await tools.update("text.upper", patch({ title: "One" }), by);
    const stale = tools.update("text.upper", patch({ title: "Two" }), by, { expectedRevision: 1 });
    await expect(stale).rejects.toMatchObject({ code: "REVISION_CONFLICT", data: { current: 2, expected: 1 } });
  });

  it("loses no change of somebody who wrote first", async () => {
    const { tools, store } = await open();
    await tools.create(draft(), by);
    store.beforeUpdate = async () => void (await tools.update("text.upper", patch({ title: "Theirs" }), by));
    await tools.update("text.upper", patch({ description: "Ours" }), by);
    expect(await tools.get("text.upper")).toMatchObject({ title: "Theirs", description: "Ours", revision: 3 });
  });

  it("names the nearest tool when there is none of that name", async () => {
    const { tools } = await open();
    await tools.create(draft(), by);
    await expect(tools.update("text.uper", patch({}), by)).rejects.toMatchObject({ code: "TOOL_NOT_FOUND", message: expect.stringContaining("text.upper") }); // prettier-ignore
  });
});

describe("rollback, history and removal", () => {
  it("brings an older definition back as a new revision", async () => {
    const { tools } = await open();
    await tools.create(draft(), by);
    await tools.update("text.upper", patch({ code: "return 1", title: "One" }), by);
    const { tool } = await tools.rollback("text.upper", 1, { ...by, principal: "bob" });
    expect(tool.revision).toBe(3);
    expect(await tools.get("text.upper")).toMatchObject({ code: UPPER.code, revision: 3 });
    expect((await tools.get("text.upper", 2)).code).toBe("return 1");
    const { revisions } = await tools.history("text.upper", { limit: 10 });
    expect(revisions.map(({ revision, change, author }) => [revision, change, author])).toEqual([
      [3, "rollback to 1", "bob"],
      [2, "update", "alice"],
      [1, "create", "alice"],
    ]);
    await expect(tools.rollback("text.upper", 9, by)).rejects.toMatchObject({ code: "REVISION_NOT_FOUND" });
  });

  it("pages the history", async () => {
    const { tools } = await open();
    await tools.create(draft(), by);
    for (const title of ["b", "c"]) await tools.update("text.upper", patch({ title }), by);
    const first = await tools.history("text.upper", { limit: 2 });
    expect(first).toMatchObject({ current: 3, nextBefore: 2, revisions: [{ revision: 3 }, { revision: 2 }] });
    expect(await tools.history("text.upper", { limit: 2, before: 2 })).toEqual(
      expect.objectContaining({ revisions: [expect.objectContaining({ revision: 1 })] }),
    );
  });

  it("frees the name of a removed tool", async () => {
    const { tools, counts } = await open();
    await tools.create(draft(), by);
    await tools.remove("text.upper", by);
    expect(counts()).toEqual({ tools: 0, enabled: 0, quarantined: 0 });
    await expect(tools.get("text.upper")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
    expect(await tools.create(draft(), by)).toMatchObject({ tool: { revision: 1 } });
  });
});

describe("list", () => {
  it("searches, leaves out what is disabled, and pages", async () => {
    const { tools } = await open();
    for (const name of ["b.two", "a.one", "c.three"])
      await tools.create(draft({ name, title: `Title of ${name}` }), by);
    await tools.enable("b.two", false, by);
    const names = async (query: object) => (await tools.list({ limit: 10, ...query })).tools.map(({ name }) => name);
    expect(await names({})).toEqual(["a.one", "b.two", "c.three"]);
    expect(await names({ includeDisabled: false })).toEqual(["a.one", "c.three"]);
    expect(await names({ search: "shouts THREE" })).toEqual(["c.three"]);
    const first = await tools.list({ limit: 2, includeCode: true });
    expect(first).toMatchObject({ total: 3, tools: [{ code: UPPER.code }, {}] });
    expect(await names({ cursor: first.nextCursor })).toEqual(["c.three"]);
    await expect(tools.list({ limit: 2, cursor: "bm9uc2Vuc2U" })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
  });

  it("shows a damaged tool with its reason, and lets it be deleted", async () => {
    const { tools, store, source, counts } = await open();
    await tools.create(draft(), by);
    const [head] = await store.items.list("tool");
    store.damage(head?.id ?? "", "its body is not JSON");
    await expect.poll(() => counts().quarantined).toBe(1);
    expect(source.items("tool", { principal: { id: "alice", kind: "local", isAdmin: false } })).toEqual([]);
    expect((await tools.list({ limit: 1 })).tools).toMatchObject([{ quarantine: "its body is not JSON" }]);
    await tools.remove("text.upper", by);
    expect(counts().tools).toBe(0);
  });
});

describe("a page of tools with their code", () => {
  it("ends early before it becomes a flood, and goes on", async () => {
    const { tools } = await open();
    const code = `return 1; // ${"x".repeat(190_000)}`;
    for (const n of [1, 2, 3, 4, 5, 6, 7]) await tools.create(draft({ name: `t${n}`, code }), by);
    const first = await tools.list({ limit: 100, includeCode: true });
    expect(first).toMatchObject({ total: 7, tools: { length: 6 } });
    const { nextCursor: cursor = "" } = first;
    expect((await tools.list({ limit: 100, includeCode: true, cursor })).tools.map(({ name }) => name)).toEqual(["t7"]);
  });
});

describe("a tool that goes away between a look and a write", () => {
  it("is named as people know it, not by its id", async () => {
    const { services, tools: others } = await open();
    const update = async (...args: Parameters<typeof services.store.items.update>) => {
      await others.remove("text.upper", by);
      return services.store.items.update(...args);
    };
    const items = { ...services.store.items, update };
    await others.create(draft(), by);
    const { tools } = await createAuthored({ ...services, store: { ...services.store, items } });
    await expect(tools.enable("text.upper", false, by)).rejects.toMatchObject({
      code: "TOOL_NOT_FOUND",
      message: expect.stringContaining("text.upper was deleted"),
    });
  });
});

describe("a process that has not heard yet", () => {
  it("finds a tool that another one deleted and made anew", async () => {
    const { services, tools: others } = await open();
    await others.create(draft(), by);
    const deaf = { subscribe: () => () => {} };
    const { tools } = await createAuthored({ ...services, store: { ...services.store, changes: deaf } });
    await others.remove("text.upper", by);
    await expect(tools.get("text.upper")).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
    await others.create(draft({ description: "The second" }), by);
    expect(await tools.get("text.upper")).toMatchObject({ description: "The second", revision: 1 });
    await others.remove("text.upper", by);
    await others.create(draft({ description: "The third" }), by);
    expect(await tools.get("text.upper")).toMatchObject({ description: "The third" });
  });
});
