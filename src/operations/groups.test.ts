import { describe, expect, it, vi } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { line, textOf } from "./fixtures/line.ts";
import type { TestServer } from "./fixtures/servers.ts";

const PATH: JsonObject = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
const FILES: TestServer = {
  description: "Files of this machine",
  tools: [
    { name: "read_file", description: "Read a file. Slowly.", inputSchema: PATH },
    { name: "write.file", description: "Write a file", inputSchema: PATH },
  ],
};
const DOWN: TestServer = { description: "Issues", status: "down", problem: "connect ECONNREFUSED\nfake: line" };
const CODE = { name: "text.upper", description: "Upper case", code: "return args" };
const proxy = (servers: Record<string, TestServer>) => line({ servers, profiles: ["proxy"], exposure: "groups" });
const codeOf = (result: { _meta?: JsonObject }) => (result._meta?.["dynamic-mcp/error"] as JsonObject | undefined)?.["code"]; // prettier-ignore

describe("the profile for groups", () => {
  it("lists exactly two tools, whose schemas have no enums", async () => {
    const { listed, call } = await proxy({ files: FILES });
    await call("dynamic_tool_create", { tool: CODE });
    expect(listed().map(({ name }) => name)).toEqual(["call_dynamic_tool", "get_dynamic_tools"]);
    for (const named of listed()) expect(JSON.stringify(named.load().inputSchema["properties"])).not.toContain('"group":{"enum'); // prettier-ignore
  });

  it("tells what is behind each group, and which are out of reach and why", async () => {
    const { call, listed, servers, view } = await proxy({ files: FILES, issues: DOWN, off: { status: "disabled" } });
    expect(textOf(await call("get_dynamic_tools", {}))).not.toContain("off");
    const description = () => listed()[1]?.load().description ?? "";
    expect(description().split("\n").slice(1)).toEqual([
      "",
      "Groups:",
      "- files: Files of this machine",
      "",
      "Unavailable groups:",
      "- issues: down: connect ECONNREFUSED fake: line",
    ]);
    const before = view().listVersion("tool");
    servers.set("files", FILES);
    expect(view().listVersion("tool")).toBe(before);
    servers.set("issues", { ...DOWN, status: "ready" });
    expect(view().listVersion("tool")).not.toBe(before);
    expect(description()).not.toContain("Unavailable");
    expect(listed()[0]?.load().description).toBe("Calls a tool of a group, as get_dynamic_tools shows it.");
  });

  it("says what servers do, not that they are servers", async () => {
    const told = async (description: string) => (await proxy({ one: { description } })).listed()[1]?.load().description?.split("\n- one: ")[1]; // prettier-ignore
    expect(await told("A Model Context Protocol (MCP) server that provides weather for cities")).toBe("weather for cities"); // prettier-ignore
    expect(await told("MCP server for GitHub")).toBe("GitHub");
    expect(await told("MCP Server")).toBe("MCP Server");
    expect(await told("Reads mail")).toBe("Reads mail");
  });

  it("stays short with many servers", async () => {
    const words = "Does many things with many words. ".repeat(9);
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`server-number-${at}`, { description: words }])); // prettier-ignore
    for (const count of [1, 70, 1_000]) {
      const { listed } = await proxy(many(count));
      const text = listed()[1]?.load().description ?? "";
      expect(text.length).toBeLessThanOrEqual(6_000);
      expect(text).toContain("server-number-0");
    }
  });
});

describe("get_dynamic_tools", () => {
  it("lists groups when none is named", async () => {
    const { call } = await proxy({ files: FILES, issues: DOWN });
    await call("dynamic_tool_create", { tool: CODE });
    expect(textOf(await call("get_dynamic_tools")).split("\n")).toEqual([
      "- files (2 tools): Files of this machine",
      "- issues (unavailable, down: connect ECONNREFUSED fake: line): Issues",
      "- local (1 tool): made on this server",
      'Ask again with one of them as "group" to see its tools.',
    ]);
  });

  it("answers a group as an array of names, descriptions and schemas", async () => {
    const { call } = await proxy({ files: FILES });
    const result = await call("get_dynamic_tools", { group: "files" });
    expect(result.content).toHaveLength(1);
    expect(JSON.parse(textOf(result))).toEqual([
      { name: "read_file", description: "Read a file. Slowly.", inputSchema: PATH },
      { name: "write.file", description: "Write a file", inputSchema: PATH },
    ]);
  });

  it("picks tools of a group by names or words, in the wanted detail", async () => {
    const { call } = await proxy({ files: FILES, mail: { tools: [{ name: "send", description: "Send a file" }] } });
    const named = await call("get_dynamic_tools", { group: "files", names: ["files__read_file", "wriite.file"] });
    expect(JSON.parse(String(named.content[0]?.["text"]))).toMatchObject([{ name: "read_file" }]);
    expect(named.content[1]?.["text"]).toContain("did you mean write.file?");
    const found = await call("get_dynamic_tools", { group: "files", query: "write", detail: "signatures" });
    expect(textOf(found)).toBe("write.file({ path: string }) // Write a file");
    expect(textOf(await call("get_dynamic_tools", { query: "file", detail: "names" })).split("\n")).toEqual([
      "files: read_file // Read a file",
      "files: write.file // Write a file",
      "mail: send // Send a file",
    ]);
    expect(textOf(await call("get_dynamic_tools", { group: "files", query: "teleport" }))).toContain(
      "Nothing in files fits",
    );
  });

  it("finds named tools whatever their group, when none is named", async () => {
    const { call } = await proxy({ files: FILES, mail: { tools: [{ name: "send", description: "Send a file" }] } });
    const named = await call("get_dynamic_tools", { names: ["send", "files__read_file", "teleport"] });
    expect(JSON.parse(String(named.content[0]?.["text"]))).toMatchObject([
      { group: "mail", name: "send", inputSchema: {} },
      { group: "files", name: "read_file", inputSchema: PATH },
    ]);
    expect(named.content[1]?.["text"]).toBe('No group has a tool "teleport".');
    expect(codeOf(await call("get_dynamic_tools", { names: ["teleport"] }))).toBe("TOOL_NOT_FOUND");
  });

  it("shows a large group by names and first words, and says how to go on", async () => {
    const inputSchema = { ...PATH, description: "x".repeat(400) };
    const tools = Array.from({ length: 300 }, (_, at) => ({ name: `tool_${at}`, description: `Does ${at}. Well.`, inputSchema })); // prettier-ignore
    const { call } = await proxy({ large: { tools } });
    const { content } = await call("get_dynamic_tools", { group: "large" });
    const all = JSON.parse(String(content[0]?.["text"])) as JsonObject[];
    expect(all).toHaveLength(300);
    expect(all).toContainEqual({ name: "tool_7", description: "Does 7" });
    expect(content[1]?.["text"]).toContain("Ask again with `names`");
    expect(textOf(await call("get_dynamic_tools", { group: "large" })).length).toBeLessThan(41_000);
  });

  it("waits for a group that is not known yet, not for ever", async () => {
    let start = () => {};
    const starts = new Promise<void>((resolve) => (start = resolve));
    const never = new Promise<void>(() => {});
    const { call } = await proxy({ files: { ...FILES, starts }, slow: { ...FILES, starts: never } });
    const asking = call("get_dynamic_tools", { group: "files" });
    start();
    expect(JSON.parse(textOf(await asking))).toHaveLength(2);
    await expect(call("get_dynamic_tools", { group: "slow" }, { deadline: new Deadline(40) })).resolves.toMatchObject({ isError: true }); // prettier-ignore
  });

  it("looks at a group that hangs for 8 s, and says that it is still being connected", async () => {
    vi.useFakeTimers();
    try {
      const { call } = await proxy({ slow: { ...FILES, starts: new Promise(() => {}) } });
      const looking = call("get_dynamic_tools", { group: "slow" }, { deadline: new Deadline(60_000) });
      let isOver = false;
      void looking.finally(() => (isOver = true));
      await vi.advanceTimersByTimeAsync(7_990);
      expect(isOver).toBe(false);
      await vi.advanceTimersByTimeAsync(20);
      expect(codeOf(await looking)).toBe("UPSTREAM_UNAVAILABLE");
      expect(textOf(await looking)).toContain("slow is still being connected");
    } finally {
      vi.useRealTimers();
    }
  });

  it("says why a group cannot be known, and which group was meant", async () => {
    const refusal = new DynamicMcpError("UPSTREAM_UNAVAILABLE", "issues: connect ECONNREFUSED");
    const { call } = await proxy({ files: FILES, issues: { ...DOWN, refusal } });
    const out = await call("get_dynamic_tools", { group: "issues" });
    expect([out.isError, codeOf(out), textOf(out)]).toEqual([true, "UPSTREAM_UNAVAILABLE", "issues: connect ECONNREFUSED"]); // prettier-ignore
    const unknown = await call("get_dynamic_tools", { group: "filez" });
    expect([codeOf(unknown), textOf(unknown)]).toEqual(["SERVER_NOT_FOUND", 'there is no group "filez"; did you mean "files"?']); // prettier-ignore
  });
});

describe("call_dynamic_tool", () => {
  it("calls by the server's own name or the listed one, with arguments in any form", async () => {
    const { call } = await proxy({ files: FILES });
    const expected = {
      content: [{ type: "text", text: 'files/write.file {"path":"/a"}' }],
      _meta: { from: "files/write.file" },
    };
    for (const name of ["write.file", "files__write_file"]) {
      expect(await call("call_dynamic_tool", { group: "files", name, args: { path: "/a" } })).toEqual(expected);
    }
    expect(await call("call_dynamic_tool", { group: "files", name: "write.file", args: '{"path":"/a"}' })).toEqual(expected); // prettier-ignore
    for (const none of [{}, { args: null }, { args: "" }])
      expect(textOf(await call("call_dynamic_tool", { group: "files", name: "write.file", ...none }))).toBe("files/write.file {}"); // prettier-ignore
  });

  it("reaches what was made here, and our own tools, by the group of this server", async () => {
    const { call } = await proxy({ local: FILES });
    await call("call_dynamic_tool", { group: "dynamic-mcp", name: "dynamic.tool.create", args: { tool: CODE } });
    expect(textOf(await call("call_dynamic_tool", { group: "dynamic-mcp", name: "text_upper", args: { a: 1 } }))).toContain('"a"'); // prettier-ignore
    // A server of that name keeps it.
    expect(codeOf(await call("call_dynamic_tool", { group: "local", name: "text_upper" }))).toBe("TOOL_NOT_FOUND");
  });

  it("refuses, as results that say so, what is not there, also when it is another group's", async () => {
    const { call } = await proxy({ files: FILES, mail: { tools: [{ name: "send" }] } });
    for (const [group, name, code] of [["nobody", "send", "SERVER_NOT_FOUND"], ["files", "send", "TOOL_NOT_FOUND"], ["files", "mail__send", "TOOL_NOT_FOUND"], ["files", "__proto__", "TOOL_NOT_FOUND"]] as const) {
      const result = await call("call_dynamic_tool", { group, name });
      expect([result.isError, codeOf(result)], `${group} ${name}`).toEqual([true, code]);
    } // prettier-ignore
  });
});
