import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAccess } from "../access/access.ts";
import { createAuthored } from "../authored/create-authored.ts";
import { createFakePackages, NO_REACH } from "../authored/fixtures/reach.ts";
import { SETTINGS } from "../authored/fixtures/services.ts";
import { noShells } from "../authored/shells/fixtures/test-shells.ts";
import { createCalls } from "../calls/create-calls.ts";
import { LOCAL } from "../core/caller.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { Deadline } from "../core/deadline.ts";
import type { ToolResult } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import { wireName } from "../core/names.ts";
import { SILENT } from "../core/source.ts";
import { chooseEngine, type EngineOffers } from "../engines/choose.ts";
import { compile } from "../engines/compile.ts";
import { createQuickjsEngine } from "../engines/quickjs/quickjs-engine.ts";
import { createGuard } from "../guard/create-guard.ts";
import { createSchemas } from "../schemas/create-schemas.ts";
import { createSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { createSurface } from "../surface/create-surface.ts";
import { createOperations } from "./create-operations.ts";
import { testServers } from "./fixtures/servers.ts";

/*
 * The main job below the edge, on the real store and the real sandbox: an agent makes a tool from code, calls it,
 * changes it, rolls it back, deletes it, and it survives.
 */

const engine = createQuickjsEngine({ maxProcesses: 1 });
const NOTHING_ELSE: EngineOffers = {
  docker: async () => new DynamicMcpError("ENGINE_UNAVAILABLE", "there is no docker here"),
  node: async () => ({ problem: "there is no jail here" }),
};
const schemas = createSchemas();
afterAll(() => engine.close());

let dataDir: string;
let app: Awaited<ReturnType<typeof open>>;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "main-job-"));
  app = await open();
});
afterEach(async () => {
  await app.close();
  await rm(dataDir, { recursive: true });
});

async function open() {
  const store = await createSqliteStore({ dataDir });
  const authored = await createAuthored({
    store,
    engines: { quickjs: engine },
    compile,
    chooseEngine: (needs) => chooseEngine(needs, "auto", NOTHING_ELSE),
    ...NO_REACH,
    packages: createFakePackages().packages,
    bundle: async () => ({ reason: "nothing is bundled in this test" }),
    schemas,
    log: SILENT,
    now: Date.now,
    newSeed: randomUUID,
    settings: SETTINGS,
  });
  const unused = (): never => {
    throw new Error("not part of this test");
  };
  const operations = createOperations(
    {
      tools: authored.tools,
      runOnce: authored.runOnce,
      shells: noShells(),
      health: async () => ({}),
      now: Date.now,
      listedName: wireName,
      view: unused,
      finder: { find: unused, observe() {} },
      fleet: testServers().fleet,
      results: { read: unused },
      servers: { attach: unused, detach: unused },
      isOffered: () => true,
      hasLocalTools: () => true,
    },
    { requiresAdminToken: false },
  );
  const calls = createCalls({
    surface: createSurface({ sources: [operations, authored.source], nameStyle: "wire", isListed: () => true }),
    guard: createGuard({ concurrency: 8, callsPerWindow: 10_000, windowMs: 1_000 }),
    access: createAccess({}),
    validate: schemas.validate,
    record: () => {},
    log: SILENT,
    newId: randomUUID,
  });
  return {
    store,
    async call(name: string, args: JsonObject = {}): Promise<ToolResult> {
      const end = await calls.call({
        wanted: { kind: "tool", name, args },
        caller: { principal: LOCAL },
        io: { can: { elicitForm: false, elicitUrl: false, sampling: false, roots: false }, ask: async () => ({}), progress() {}, log() {} }, // prettier-ignore
        deadline: new Deadline(15_000),
        consumer: "model",
        requestId: "r",
      });
      if (end.state === "paused") throw new Error("paused");
      return end.result;
    },
    async close() {
      authored.close();
      await store.close();
    },
  };
}

const tool = (fields: JsonObject = {}): JsonObject => ({
  tool: { name: "text.uppercase", description: "Makes text upper case", code: "return { upper: args.text.toUpperCase() };", ...fields }, // prettier-ignore
});
const textOf = (result: ToolResult) => result.content.map((each) => each["text"]).join("\n");
const codeOf = (result: ToolResult) => (result._meta?.["dynamic-mcp/error"] as JsonObject | undefined)?.["code"];
const run = (code: string, more: JsonObject = {}) => app.call("run_js_ephemeral", { code, ...more });

describe("the main job", () => {
  it("makes a tool, calls, changes, rolls back and deletes it, over two restarts [job-main]", async () => {
    const inputSchema = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
    const examples = [{ args: { text: "hi" }, result: { upper: "HI" } }];
    const made = await app.call("dynamic_tool_create", tool({ inputSchema, examples }));
    expect(made.structuredContent).toMatchObject({
      tool: { revision: 1, engine: { engine: "quickjs" } },
      isWritten: true,
    });
    expect(await app.call("text_uppercase", { text: "hällo" })).toEqual({
      content: [{ type: "text", text: '{"upper":"HÄLLO"}' }],
      structuredContent: { upper: "HÄLLO" },
    });

    await app.close();
    app = await open();
    expect((await app.call("text.uppercase", { text: "b" })).structuredContent).toEqual({ upper: "B" });
    const code = "return { upper: args.text.toUpperCase() + '!' };";
    const refused = await app.call("dynamic_tool_update", { name: "text.uppercase", patch: { code } });
    expect(codeOf(refused)).toBe("EXAMPLE_FAILED");
    expect(textOf(refused)).toBe(
      'example 1 of 1 returned {"upper":"HI!"}, expected {"upper":"HI"}; nothing was stored',
    );
    await app.call("dynamic_tool_update", { name: "text.uppercase", patch: { code, examples: null } });
    expect((await app.call("text_uppercase", { text: "b" })).structuredContent).toEqual({ upper: "B!" });
    await app.call("dynamic_tool_rollback", { name: "text_uppercase", revision: 1 });

    await app.close();
    app = await open();
    expect((await app.call("text_uppercase", { text: "b" })).structuredContent).toEqual({ upper: "B" });
    expect(textOf(await app.call("dynamic_tool_history", { name: "text_uppercase" }))).toMatch(
      /is at revision 3\n- 3: rollback to 1 by local/,
    );
    await app.call("dynamic_tool_delete", { name: "text_uppercase" });
    await expect(app.call("text_uppercase", { text: "b" })).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
  });

  it("takes TypeScript, and gives the author's own line of what it throws, also after a restart", async () => {
    const code = "interface In { text: string }\nconst input = args as In;\nif (!input.text) throw new RangeError('no text');\nreturn input.text.length as number;"; // prettier-ignore
    await app.call("dynamic_tool_create", tool({ code, language: "ts" }));
    expect((await app.call("text_uppercase", { text: "four" })).structuredContent).toEqual({ result: 4 });
    await app.close();
    app = await open();
    const failed = await app.call("text_uppercase", {});
    expect(textOf(failed)).toMatch(/^RangeError: no text \(line 3, column \d+\)$/);
    expect(codeOf(failed)).toBe("CODE_THREW");
    expect((await app.call("dynamic_tool_get", { name: "text_uppercase" })).structuredContent).toMatchObject({ tool: { code, language: "ts" } }); // prettier-ignore
  });

  it.each([
    ["js", "return 1;\nreturn (;", 2],
    ["ts", "const a: string = 'x';\nlet b: = 3;", 2],
    ["js", "} return 1 {", 1],
  ])("refuses %s that does not parse, with its line", async (language, code, line) => {
    const refused = await app.call("dynamic_tool_create", tool({ code, language }));
    expect(codeOf(refused)).toBe("INVALID_CODE");
    expect(refused._meta?.["dynamic-mcp/error"]).toMatchObject({ data: { line } });
    expect(textOf(await app.call("dynamic_tool_list"))).toBe("Dynamic tools: 0");
  });

  it("says what to do where the Node API is wanted", async () => {
    for (const code of ["return process.pid", "return require('fs')", "return import('node:fs')"]) {
      expect(codeOf(await app.call("dynamic_tool_create", tool({ code })))).toBe("ENGINE_UNAVAILABLE");
    }
    const code = "const { z } = await import('zod'); return z";
    expect(codeOf(await app.call("dynamic_tool_create", tool({ code })))).toBe("INVALID_CODE");
    const dependencies = [{ name: "zod", version: "4" }];
    const packages = tool({ code, dependencies });
    expect(codeOf(await app.call("dynamic_tool_create", packages))).toBe("ENGINE_UNAVAILABLE");
  });

  it("keeps both of two creates at once, and one of two with the same name", async () => {
    const ends = await Promise.all(
      ["a", "b", "same", "same"].map((name) => app.call("dynamic_tool_create", tool({ name }))),
    );
    expect(ends.map((each) => codeOf(each) ?? "made").filter((code) => code !== "made")).toEqual(["NAME_TAKEN"]);
  });

  it("shows another process's tool within a second [job-other-clients]", async () => {
    const other = await open();
    try {
      await app.call("dynamic_tool_create", tool());
      const called = () =>
        other.call("text_uppercase", { text: "x" }).then(
          (each) => each.structuredContent,
          (error: { code: string }) => error.code,
        );
      await expect.poll(called, { timeout: 2_000, interval: 50 }).toEqual({ upper: "X" });
      await app.call("dynamic_tool_delete", { name: "text_uppercase" });
      await expect.poll(called, { timeout: 2_000, interval: 50 }).toBe("TOOL_NOT_FOUND");
    } finally {
      await other.close();
    }
  });
});

describe("code and its results", () => {
  it.each([
    ["BigInt", "return { n: 1n }", "RESULT_NOT_JSON"],
    ["a cycle", "const a = {}; a.a = a; return a", "RESULT_NOT_JSON"],
    ["a function", "return () => 1", "RESULT_NOT_JSON"],
    ["100 MB", "return 'x'.repeat(100_000_000)", "TOO_LARGE|OUT_OF_MEMORY"],
    ["a loop", "while (true) {}", "TIMEOUT"],
    ["a promise that nothing settles", "await new Promise(() => {})", "NEVER_SETTLES"],
    ["memory", "const all = []; while (true) all.push(new Array(10000).fill(1))", "OUT_OF_MEMORY"],
  ])("answers %s with a typed failure, and the next call is fine", async (_what, code, expected) => {
    const result = await run(code, { timeoutMs: 1000 });
    expect(result.isError).toBe(true);
    expect(codeOf(result)).toMatch(new RegExp(`^(${expected})$`));
    expect((await run("return args.n + 1", { args: { n: 1 } })).structuredContent).toEqual({ result: 2 });
  });

  it("carries a megabyte in and out [job-megabyte]", async () => {
    const text = "ü".repeat(500_000);
    const result = await run("return args", { args: { text } });
    expect(result.structuredContent === undefined ? textOf(result).slice(0, 200) : "fine").toBe("fine");
    expect((result.structuredContent as JsonObject)["text"] === text).toBe(true);
  });

  it("keeps console output apart from the result", async () => {
    const result = await run("console.log('a', { b: 1 }); console.error('w'); return 42");
    expect(result.content).toEqual([{ type: "text", text: "42" }]);
    expect(result._meta?.["dynamic-mcp/logs"]).toMatchObject([{ level: "log", text: expect.stringContaining("a") }, { level: "error", text: "w" }]); // prettier-ignore
  });

  it("keeps __proto__ in arguments and results as data", async () => {
    const args = JSON.parse('{"__proto__":{"admin":true}}') as JsonObject;
    const result = await run("return JSON.parse(JSON.stringify(args))", { args });
    expect(JSON.stringify(result.structuredContent)).toBe('{"__proto__":{"admin":true}}');
    expect(({} as JsonObject)["admin"]).toBeUndefined();
  });
});
