import { describe, expect, it } from "vitest";
import { createTestServices } from "../authored/fixtures/services.ts";
import { LOCAL } from "../core/caller.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { wireName } from "../core/names.ts";
import { OPERATIONS } from "./all.ts";
import { line, textOf } from "./fixtures/line.ts";
import { PROFILES } from "./profiles.ts";

const UPPERCASE = {
  name: "text.uppercase",
  description: "Convert text to upper case",
  image: "node:lts-slim",
  timeoutMs: 30000,
  dependencies: [],
  code: "const { text } = args; return { upper: String(text).toUpperCase() };",
};

describe("the list", () => {
  it("has names, titles, descriptions and closed object schemas that every client accepts", async () => {
    const { listed } = await line({ profiles: ["full"] });
    for (const named of listed()) {
      const item = named.load();
      expect(named.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(item.title).toBeTruthy();
      expect(item.description?.length).toBeLessThan(1_024);
      expect(item.inputSchema).toMatchObject({ type: "object", additionalProperties: false });
      expect(item.outputSchema?.["type"] ?? "object").toBe("object");
      expect(Object.keys(item.annotations ?? {}).toSorted()).toEqual(["destructiveHint", "idempotentHint", "openWorldHint", "readOnlyHint", "title"]); // prettier-ignore
    }
  });

  it("shows what its profile names, and a tool as soon as it is made", async () => {
    const { listed, call } = await line();
    const names = () => listed().map(({ name }) => name);
    expect(names()).toEqual([
      "dynamic_tool_create",
      "dynamic_tool_delete",
      "dynamic_tool_enable",
      "dynamic_tool_get",
      "dynamic_tool_history",
      "dynamic_tool_list",
      "dynamic_tool_rollback",
      "dynamic_tool_update",
      "run_js_ephemeral",
      "system_health",
      "tool_call",
    ]);
    await call("dynamic_tool_create", { tool: UPPERCASE });
    expect(names()).toContain("text_uppercase");
    expect((await line({ profiles: ["enterprise"] })).listed().map(({ name }) => name)).toEqual(expect.arrayContaining(["dev_echo", "time_now"])); // prettier-ignore
  });

  it("lists every operation in `full`, and reserves every operation's name", async () => {
    const toolsets = new Set<string>(PROFILES.full);
    for (const { name, toolset } of OPERATIONS) {
      expect(toolsets).toContain(toolset);
      const { call } = await line();
      expect(await call("dynamic_tool_create", { tool: { ...UPPERCASE, name } })).toMatchObject({ _meta: { "dynamic-mcp/error": { code: "NAME_RESERVED" } } }); // prettier-ignore
    }
  });

  it("gives structured content that fits the schemas it lists", async () => {
    const { call, surface } = await line({ profiles: ["full"] });
    const { services } = createTestServices();
    const view = surface.view({ principal: LOCAL });
    const steps: [string, JsonObject][] = [
      ["dynamic_tool_create", { tool: UPPERCASE }],
      ["dynamic_tool_update", { name: "text.uppercase", patch: { title: "Upper" } }],
      ["dynamic_tool_enable", { name: "text.uppercase", enabled: false }],
      ["dynamic_tool_rollback", { name: "text.uppercase", revision: 1 }],
      ["dynamic_tool_list", {}],
      ["dynamic_tool_get", { name: "text.uppercase" }],
      ["dynamic_tool_history", { name: "text.uppercase" }],
      ["dynamic_tool_delete", { name: "text.uppercase" }],
      ["system_health", {}],
      ["dev_echo", { message: "hi" }],
      ["time_now", { timeZone: "Asia/Tokyo" }],
    ];
    for (const [name, args] of steps) {
      const result = await call(name, args);
      expect(result.isError, `${name}: ${textOf(result)}`).toBeUndefined();
      const schema = view.find("tool", name)?.load().outputSchema ?? {};
      expect({ name, problems: await services.schemas.validate(schema, result.structuredContent) }).toEqual({
        name,
        problems: [],
      });
    }
  });
});

describe("the older README's examples", () => {
  it("creates text.uppercase with its image and calls it with wrapped arguments [job-older-readme]", async () => {
    const { call } = await line();
    const made = await call("dynamic.tool.create", { tool: UPPERCASE });
    expect(textOf(made)).toMatch(/^Created dynamic tool: text\.uppercase/);
    expect(made.structuredContent).toMatchObject({
      tool: { name: "text.uppercase", revision: 1, image: "node:lts-slim" },
    });
    expect((await call("text.uppercase", { args: { text: "hello" } })).structuredContent).toEqual({ upper: "HELLO" });
    expect((await call("text_uppercase", { text: "hello" })).structuredContent).toEqual({ upper: "HELLO" });
  });
});

describe("authoring", () => {
  it("says how to call the new tool, and tool_call does so", async () => {
    const { call } = await line();
    const inputSchema = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
    const made = await call("dynamic_tool_create", { tool: { ...UPPERCASE, inputSchema } });
    const how = isJsonObject(made.structuredContent) ? made.structuredContent["call"] : undefined;
    expect(how).toEqual({
      name: "text_uppercase",
      arguments: { text: "..." },
      viaToolCall: { name: "tool_call", arguments: { name: "text_uppercase", arguments: { text: "..." } } },
    });
    expect(textOf(made)).toContain('call tool_call with {"name":"text_uppercase","arguments":{"text":"..."}}');
    const called = await call("tool_call", { name: "text_uppercase", arguments: { text: "hi" } });
    expect(called).toMatchObject({ structuredContent: { upper: "HI" } });
  });

  it("takes the flat form of create, too", async () => {
    const { call } = await line();
    expect((await call("dynamic_tool_create", { ...UPPERCASE, dryRun: true })).structuredContent).toMatchObject({
      isWritten: false,
    });
    expect((await call("dynamic_tool_create", UPPERCASE)).structuredContent).toMatchObject({ tool: { revision: 1 } });
  });

  it("changes, conflicts, rolls back, disables and deletes", async () => {
    const { call } = await line();
    await call("dynamic_tool_create", { tool: UPPERCASE });
    const name = "text_uppercase";
    expect(
      textOf(await call("dynamic_tool_update", { name, patch: { code: "return 1" }, expectedRevision: 1 })),
    ).toContain("revision 2");
    expect(await call("dynamic_tool_update", { name, patch: { code: "return 2" }, expectedRevision: 1 })).toMatchObject(
      {
        isError: true,
        _meta: {
          "dynamic-mcp/error": { code: "REVISION_CONFLICT", retryable: true, data: { current: 2, expected: 1 } },
        },
      },
    );
    expect(textOf(await call("dynamic_tool_rollback", { name, revision: 1 }))).toContain("now revision 3");
    expect((await call(name, { text: "a" })).structuredContent).toEqual({ upper: "A" });
    await call("dynamic_tool_enable", { name, enabled: false });
    await expect(call(name, { text: "a" })).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
    expect(textOf(await call("dynamic_tool_history", { name }))).toContain("- 3: rollback to 1 by local");
    expect(textOf(await call("dynamic_tool_delete", { name }))).toBe("Deleted dynamic tool: text.uppercase");
    expect(textOf(await call("dynamic_tool_list"))).toBe("Dynamic tools: 0");
  });

  it.each<[string, string, JsonObject, RegExp]>([
    ["an unknown key", "dynamic_tool_create", { tool: { ...UPPERCASE, inputSchemas: {} } }, /\/tool unknown property "inputSchemas"; did you mean "inputSchema"/],
    ["a missing key", "dynamic_tool_create", { tool: { name: "a", code: "1" } }, /\/tool\/description is required/],
    ["a wrong type", "dynamic_tool_create", { tool: { ...UPPERCASE, timeoutMs: "30" } }, /\/tool\/timeoutMs must be number, got the string "30"/],
    ["a value out of bounds", "dynamic_tool_create", { tool: { ...UPPERCASE, timeoutMs: 5 } }, /\/tool\/timeoutMs must be at least 100, got the number 5/],
    ["an unknown language", "dynamic_tool_create", { tool: { ...UPPERCASE, language: "py" } }, /must be one of "js", "ts"/],
    ["null where nothing can be cleared", "dynamic_tool_update", { name: "x", patch: { code: null } }, /\/patch\/code must be string, got null/],
    ["code that is too long", "run_js_ephemeral", { code: "x".repeat(200_001) }, /\/code must be at most 200000 characters long, got 200001/],
    ["__proto__ as a key", "tool_call", JSON.parse('{"name":"x","__proto__":{}}') as JsonObject, /unknown property "__proto__"/],
    ["__proto__ within a tool", "dynamic_tool_create", { tool: JSON.parse(`{"__proto__":{},"name":"a"}`) as JsonObject }, /unknown property "__proto__"/],
    ["arguments that are no object", "tool_call", { name: "x", arguments: "[]" }, /\/arguments must be an object, got the string "\[\]"/],
  ])("refuses %s with words that a model can act on", async (_what, name, args, words) => {
    const result = await (await line()).call(name, args);
    expect(result).toMatchObject({ isError: true, _meta: { "dynamic-mcp/error": { code: "INVALID_ARGUMENTS" } } });
    expect(textOf(result)).toMatch(words);
  }); // prettier-ignore

  it("takes code of 200,000 characters", async () => {
    const { call } = await line();
    const code = `return 1;${" ".repeat(200_000 - 9)}`;
    expect((await call("dynamic_tool_create", { tool: { ...UPPERCASE, code } })).isError).toBeUndefined();
  });
});

describe("the operator's token", () => {
  const token = { adminToken: "s3cret" };

  it("is asked for by what changes tools or runs code, and never reaches the handler", async () => {
    const { call, listed } = await line({ adminToken: "s3cret" });
    const author = OPERATIONS.filter(({ permission }) => permission === "author").map(({ name }) => wireName(name));
    expect(author).toContain("run_js_ephemeral");
    for (const named of listed()) {
      const properties = named.load().inputSchema["properties"];
      const takesToken = isJsonObject(properties) && "adminToken" in properties;
      expect({ name: named.name, takesToken }).toEqual({ name: named.name, takesToken: author.includes(named.name) });
    }
    await expect(call("run_js_ephemeral", { code: "return args" })).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect((await call("run_js_ephemeral", { code: "return args", ...token })).structuredContent).toEqual({});
    expect((await call("dynamic_tool_create", { tool: UPPERCASE, ...token })).isError).toBeUndefined();
    expect((await call("text_uppercase", { text: "a" })).structuredContent).toEqual({ upper: "A" });
  });

  it("is taken from older clients even where nobody asks for it", async () => {
    const { call, listed } = await line();
    expect((await call("dynamic_tool_list", token)).isError).toBeUndefined();
    expect(JSON.stringify(listed().map((named) => named.load()))).not.toContain("adminToken");
  });
});

describe("the small ones", () => {
  it("passes on what a tool called by tool_call answers, failures too", async () => {
    const { call } = await line();
    await call("dynamic_tool_create", { tool: { ...UPPERCASE, code: "throw new TypeError('no')" } });
    expect(await call("tool_call", { name: "text.uppercase" })).toMatchObject({ isError: true, content: [{ text: "TypeError: no (line 1, column 7)" }] }); // prettier-ignore
    expect(await call("tool_call", { name: "no.such.tool" })).toMatchObject({ isError: true, _meta: { "dynamic-mcp/error": { code: "TOOL_NOT_FOUND" } } }); // prettier-ignore
  });

  it("reports health", async () => {
    const { call } = await line();
    await call("dynamic_tool_create", { tool: UPPERCASE });
    const report = await call("system.health");
    expect(report.structuredContent).toMatchObject({
      version: "1.2.3",
      counts: { tools: 1, enabled: 1, quarantined: 0 },
    });
    expect(textOf(report)).toContain("version: 1.2.3");
  });

  it("echoes and tells the time", async () => {
    const { call } = await line({ profiles: ["enterprise"] });
    expect((await call("dev.echo", { message: "hi", uppercase: true })).structuredContent).toEqual({
      message: "HI",
      length: 2,
    });
    expect((await call("time.now", { timeZone: "Asia/Tokyo" })).structuredContent).toEqual({
      iso: "2026-01-31T12:00:00.000Z",
      unixSeconds: 1769860800,
      timeZone: "Asia/Tokyo",
      local: "2026-01-31 21:00:00",
    });
    expect(await call("time.now", { timeZone: "Mars/Olympus" })).toMatchObject({ isError: true });
  });
});
