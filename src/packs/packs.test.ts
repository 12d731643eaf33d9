import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LOCAL } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { ToolResult } from "../core/item.ts";
import { Paused } from "../core/pause.ts";
import { SILENT, type RunContext } from "../core/source.ts";
import { loadPack } from "./load-pack.ts";
import { createPackSource } from "./pack-source.ts";
import { definePack, type Pack, type PackHost, type PackTool } from "./pack.ts";

const caller = { principal: LOCAL };
const ctx: RunContext = {
  caller,
  deadline: new Deadline(1_000),
  io: {
    can: { elicitForm: false, elicitUrl: false, sampling: false, roots: false },
    ask: async () => ({}),
    progress() {},
    log() {},
  },
  log: SILENT,
  callId: "1",
  depth: 0,
  callTool: async () => ({ content: [] }),
};

const tool = (run: PackTool["run"]): PackTool => ({ name: "t", description: "A tool.", run });

async function runTool(run: PackTool["run"]): Promise<ToolResult> {
  const source = createPackSource(definePack({ name: "test", tools: [tool(run)] }), { log: SILENT });
  const item = source.items("tool", caller)[0]?.load();
  if (!item) throw new Error("the tool is not listed");
  return (await source.run({ kind: "tool", item, args: {} }, ctx)) as ToolResult;
}

describe("a tool of a pack", () => {
  it.each<[string, unknown, object]>([
    ["a text", "hi", { content: [{ type: "text", text: "hi" }] }],
    ["nothing", undefined, { content: [] }],
    ["an object", { a: 1 }, { content: [{ type: "text", text: '{"a":1}' }], structuredContent: { a: 1 } }],
    ["a number", 5, { content: [{ type: "text", text: "5" }], structuredContent: 5 }],
    ["a whole result", { content: [], isError: true }, { content: [], isError: true }],
    ["data that has a content of its own", { content: "x" }, { structuredContent: { content: "x" } }],
  ])("may return %s", async (_what, value, result) => {
    expect(await runTool(() => value)).toMatchObject(result);
  });

  it.each([
    ["a BigInt", 1n],
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
  ])("may not return %s", async (_what, value) => {
    await expect(runTool(() => value)).rejects.toMatchObject({ code: "RESULT_NOT_JSON" });
  });

  it("may not return a circle", async () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    await expect(runTool(() => circle)).rejects.toMatchObject({ code: "RESULT_NOT_JSON" });
  });

  it("fails with what it throws, for the model to read", async () => {
    const result = await runTool(() => {
      throw new RangeError("too far");
    });
    expect(result).toMatchObject({ isError: true, content: [{ text: "RangeError: too far" }] });
  });

  it("lets refusals and questions pass", async () => {
    for (const error of [new DynamicMcpError("RATE_LIMITED", "slow down"), new Paused({})]) {
      await expect(runTool(() => Promise.reject(error))).rejects.toBe(error);
    }
  });
});

describe("a pack", () => {
  it("is opened with a host, and what it adds or takes away is a change", async () => {
    let host: PackHost | undefined;
    const closed: string[] = [];
    const pack: Pack = {
      name: "test",
      open: (given) => void (host = given),
      close: () => void closed.push("closed"),
    };
    const source = createPackSource(pack, { log: SILENT });
    const seen: string[] = [];
    source.onChange((kind) => void seen.push(kind));
    source.onResourceUpdated?.((uri) => void seen.push(uri));
    await source.open();

    const before = source.items("tool", caller);
    const remove = host?.addTool(tool(() => 1));
    const after = source.items("tool", caller);
    expect([before.length, after.length]).toEqual([0, 1]);
    expect(source.items("tool", caller)).toBe(after);
    remove?.();
    remove?.();
    expect(source.items("tool", caller)).toHaveLength(0);
    host?.resourceUpdated("test://x");
    expect(seen).toEqual(["tool", "tool", "test://x"]);

    await source.close();
    await source.close();
    expect(closed).toEqual(["closed"]);
  });

  it("does not wait for ever for a pack that does not close", async () => {
    const source = createPackSource(
      { name: "stuck", close: () => new Promise(() => {}) },
      { log: SILENT, closeMs: 20 },
    );
    await source.open();
    await expect(source.close()).resolves.toBeUndefined();
  });

  it("says in a refusal what is wrong with it", () => {
    const make = (pack: Pack) => () => createPackSource(pack, { log: SILENT });
    const bad = expect.objectContaining({ code: "PACK_FAILED" }) as Error;
    expect(make({ name: "No Spaces" })).toThrow(bad);
    expect(make({ name: "twice", tools: [tool(() => 1), tool(() => 2)] })).toThrow(bad);
    expect(make({ name: "tool-name", tools: [{ ...tool(() => 1), name: "has space" }] })).toThrow(bad);
  });

  it("keeps the program from starting when it cannot be opened", async () => {
    const open = () => Promise.reject(new Error("no database"));
    await expect(createPackSource({ name: "test", open }, { log: SILENT }).open()).rejects.toMatchObject({
      code: "PACK_FAILED",
      message: expect.stringContaining("no database") as string,
    });
  });

  it("refuses a prompt without an argument that it needs, and suggests at most 100 values", async () => {
    const prompt = {
      name: "p",
      arguments: [{ name: "a", required: true }],
      run: () => "hi",
      complete: () => Array.from({ length: 150 }, (_, at) => String(at)),
    };
    const source = createPackSource({ name: "test", prompts: [prompt] }, { log: SILENT });
    await expect(source.run({ kind: "prompt", id: "p", args: {} }, ctx)).rejects.toMatchObject({
      code: "INVALID_ARGUMENTS",
      data: { missing: ["a"] },
    });
    const completed = await source.run(
      { kind: "completion", id: "p", argument: { name: "a", value: "" }, context: {} },
      ctx,
    );
    expect(completed).toMatchObject({ completion: { total: 150, hasMore: true, values: { length: 100 } } });
  });
});

describe("loading", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "dynamic-mcp-packs-"));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const load = async (name: string, code: string) => {
    await writeFile(path.join(folder, name), code);
    return loadPack(name, folder);
  };

  it("takes a default export or one called pack", async () => {
    expect((await load("a.mjs", 'export default { name: "a" }')).name).toBe("a");
    expect((await load("b.mjs", 'export const pack = { name: "b" }')).name).toBe("b");
  });

  it.each([
    ["none.mjs", "export const other = 1", /exports no pack/],
    ["throws.mjs", 'throw new Error("at load")', /at load/],
    ["syntax.mjs", "export default {", /could not be loaded/],
    ["lists.mjs", 'export default { name: "x", tools: {} }', /`tools` must be a list/],
    ["name.mjs", "export default { name: 5 }", /pack's name/],
  ])("says why %s is none", async (name, code, message) => {
    await expect(load(name, code)).rejects.toMatchObject({ code: "PACK_FAILED", message: expect.stringMatching(message) as string }); // prettier-ignore
  });

  it("says that a file is not there", async () => {
    await expect(loadPack("nowhere.mjs", folder)).rejects.toMatchObject({ code: "PACK_FAILED" });
  });
});
