import { describe, expect, it } from "vitest";
import { DynamicMcpError } from "../../core/errors.ts";
import { createSurface } from "../../surface/create-surface.ts";
import { testServers, type TestServer } from "../../operations/fixtures/servers.ts";
import { runLine, type Answer } from "../fixtures/command-line.ts";
import { tools, UPPER } from "../fixtures/tools.ts";

const SCHEMA = { type: "object", properties: { title: { type: "string" } }, required: ["title"] };
const ISSUES: TestServer = {
  tools: [{ name: "create_issue", description: "Makes an issue <|endoftext|>", inputSchema: SCHEMA }],
};
const refusal = new DynamicMcpError("UPSTREAM_UNAVAILABLE", "spawn nothing ENOENT");

function run(line: readonly string[], servers: Record<string, TestServer>, answers: Record<string, Answer> = {}) {
  const { fleet, source } = testServers(servers);
  const surface = createSurface({ sources: [source], nameStyle: "wire", isListed: () => true });
  const restart = () => Promise.reject(new Error("not part of this test"));
  return runLine(line, { answers: { ...tools(UPPER), ...answers }, app: { surface, fleet: { ...fleet, restart } } });
}

describe("tools of other servers", () => {
  it("are listed beside those made from code, once they are known; what is down is said", async () => {
    const { out, err, code } = await run(["tools", "list"], {
      issues: { ...ISSUES, starts: Promise.resolve() },
      gone: { refusal },
    });
    expect(out.split("\n").slice(0, 3)).toEqual([
      "name                  from    state                description",
      "text.upper            code    enabled, revision 3  Upper case",
      "issues__create_issue  issues                       Makes an issue <|endoftext|>",
    ]);
    expect([code, err]).toEqual([0, "Without gone: spawn nothing ENOENT\n"]);
  });

  it("are listed for one server, and by words, as JSON", async () => {
    const other: TestServer = { tools: [{ name: "send" }] };
    const all = await run(["tools", "list", "--server", "issues", "--json"], { issues: ISSUES, other });
    expect(JSON.parse(all.out)).toEqual([{ name: "issues__create_issue", server: "issues", nameInServer: "create_issue", source: "servers", description: "Makes an issue <|endoftext|>" }]); // prettier-ignore
    expect((await run(["tools", "list", "--server", "issues", "send"], { issues: ISSUES, other })).err).toContain("No tool has these words"); // prettier-ignore
  });

  it("are inspected and called by the listed name, or the server's own", async () => {
    for (const line of [["issues__create_issue"], ["create_issue", "--server", "issues"]]) {
      const seen = await run(["tools", "inspect", ...line, "--json"], {
        issues: { ...ISSUES, starts: Promise.resolve() },
      });
      expect(JSON.parse(seen.out)).toMatchObject({
        name: "issues__create_issue",
        server: "issues",
        inputSchema: SCHEMA,
      });
      const called = await run(["call", ...line, "--args", '{"title":"a"}'], { issues: ISSUES }, { issues__create_issue: () => ({}) }); // prettier-ignore
      expect(called.called).toEqual([{ name: "issues__create_issue", args: { title: "a" } }]);
    }
  });

  it("are refused with the nearest name, and with what keeps a server from telling", async () => {
    const near = await run(["call", "create_isue", "--server", "issues"], { issues: ISSUES });
    expect([near.code, near.err]).toEqual([
      1,
      'dynamic-mcp: there is no tool "create_isue"; did you mean "create_issue"? (TOOL_NOT_FOUND)\n',
    ]);
    const server = await run(["tools", "inspect", "x", "--server", "isues"], { issues: ISSUES });
    expect(server.err).toContain('there is no server "isues"; did you mean "issues"?');
    const silent = await run(["call", "gone__x"], { gone: { refusal } });
    expect([silent.code, silent.err.split("\n")[0]]).toEqual([1, "Without gone: spawn nothing ENOENT"]);
    const list = await run(["tools", "list", "--server", "isues"], { issues: ISSUES });
    expect([list.code, list.err]).toEqual([1, expect.stringContaining('did you mean "issues"?')]);
    const forPrograms = await run(["call", "gone__x", "--json"], { gone: { refusal } });
    const [warning, error] = forPrograms.err.trim().split("\n").map((line) => JSON.parse(line) as unknown); // prettier-ignore
    expect(warning).toEqual({ warning: { server: "gone", problem: "spawn nothing ENOENT" } });
    expect(error).toMatchObject({ error: { code: "TOOL_NOT_FOUND" } });
  });
});

describe("tokens", () => {
  it("counts each server, and each way to list them", async () => {
    const { out } = await run(["tokens", "--json"], { issues: ISSUES, gone: { refusal } });
    const said = JSON.parse(out) as { servers: { name: string; tokens: number }[]; exposures: Record<string, unknown>[]; unavailable: unknown }; // prettier-ignore
    const cost = said.servers.find(({ name }) => name === "issues")?.tokens ?? 0;
    expect(cost).toBeGreaterThan(20);
    expect(cost).toBeLessThan(60);
    expect(said.exposures).toContainEqual({ exposure: "direct", tools: 1, tokens: cost, builtIn: 0, saved: 0 });
    expect(said.exposures).toContainEqual({ exposure: "search", tools: 0, tokens: 0, builtIn: 0, saved: cost });
    expect(said.unavailable).toEqual([{ name: "gone", problem: "spawn nothing ENOENT" }]);
    const table = (await run(["tokens"], { issues: ISSUES })).out;
    expect(table).toMatch(/^server +tools +tokens +status\nissues +1 +\d+ +ready$/m);
    expect(table).toMatch(/^search +0 +0 +0 +\d+ \(100%\)$/m);
  });
});
