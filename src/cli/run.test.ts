import { describe, expect, it, vi } from "vitest";
import { DynamicMcpError, ERRORS } from "../core/errors.ts";
import { failedResult } from "../core/results.ts";
import type { OpenApp } from "./app.ts";
import { allCommands } from "./commands.ts";
import { runLine } from "./fixtures/command-line.ts";
import { leaves } from "../config/schema.ts";
import { flagNames } from "../config/setting.ts";

describe("runCli", () => {
  it("prints the version", async () => {
    expect(await runLine(["--version"])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expect(JSON.parse((await runLine(["-V", "--json"])).out)).toMatchObject({ name: "dynamic-mcp" });
  });

  it("helps with every command, even when the configuration is broken", async () => {
    const commands = allCommands({ execPath: "node", entry: "main.js" });
    const { out } = await runLine(["--help", "--port", "abc"]);
    for (const { name, summary } of commands) {
      expect(out).toContain(summary);
      const help = await runLine([...name.split(" "), "--help"]);
      expect(help).toMatchObject({ code: 0, err: "" });
      expect(help.out).toContain(`Usage: dynamic-mcp ${name}`);
    }
    expect((await runLine(["serve", "-h"])).out).toContain("--sandbox-memory");
  });

  it("gives no flag two meanings", () => {
    const ofSettings = new Set<string>(leaves().flatMap(({ setting }) => flagNames(setting)));
    const forms = new Map<string, string>();
    for (const { name: command, flags } of allCommands({ execPath: "", entry: "" })) {
      for (const { names, form } of flags) {
        for (const name of names) {
          // As everybody types it; what follows is about the other server.
          if (`${command} ${name}` !== "add --transport") expect([...ofSettings]).not.toContain(name);
          expect([name, forms.get(name) ?? form]).toEqual([name, form]);
          forms.set(name, form);
        }
      }
    }
  });

  it.each([
    [["tols", "list"], "did you mean `tools list`"],
    [["tools"], "`tools rollback`"],
    [["xyzzy"], "--help"],
    [["--prot", "5"], "did you mean --port"],
    [["tools", "get"], "needs <name>"],
    [["tools", "get", "a", "b"], 'does not take "b"'],
    [["tools", "list", "--follow"], "has no flag --follow"],
    [["serve", "now.json", "then"], "does not take"],
    [["tools", "rollback", "a", "x"], "not a whole number"],
    [["journal", "tail", "-n", "0"], "not a whole number"],
    [["call", "a", "--args", "[1]"], "JSON object"],
    [["call", "a", "--args", "{x}"], "not JSON"],
    [["call", "a", "--args", "@none.json"], "/nowhere/none.json"],
  ])("refuses %j with a hint, nothing on stdout and exit code 2", async (line, hint) => {
    const { code, out, err, called } = await runLine(line);
    expect(err).toContain(hint);
    expect({ code, out, called }).toEqual({ code: 2, out: "", called: [] });
  });

  it("takes settings before, between and after the words of a command", async () => {
    const answers = { "dynamic.tool.get": () => ({ tool: { name: "a", code: "return 1" } }) };
    const { code, called } = await runLine(["--port=1", "tools", "--data-dir", "/d", "get", "--read-only", "a"], {
      answers,
    });
    expect(code).toBe(0);
    expect(called).toEqual([{ name: "dynamic.tool.get", args: { name: "a" } }]);
  });

  it.each([[], ["--json"]])(
    "shows what another server says of a fault without its control characters",
    async (...flags) => {
      const refuse = () => {
        throw new DynamicMcpError("UPSTREAM_ERROR", "it said \u001b]0;x\u0007red\u009b2J\u202E");
      };
      const { err } = await runLine(["tools", "get", "a", ...flags], { answers: { "dynamic.tool.get": refuse } });
      expect(err).toContain("it said");
      expect(err).not.toMatch(/[^\P{Cc}\n]|\u202E/u);
    },
  );

  it("ends with the code of the fault, and closes what it opened [cli-exit-codes]", async () => {
    const refuse = () => {
      throw new DynamicMcpError("TOOL_NOT_FOUND", "there is no tool a", { data: { name: "a" } });
    };
    const plain = await runLine(["tools", "get", "a"], { answers: { "dynamic.tool.get": refuse } });
    expect(plain).toMatchObject({ code: ERRORS.TOOL_NOT_FOUND.exit, out: "", isClosed: true });
    expect(plain.err).toBe("dynamic-mcp: there is no tool a (TOOL_NOT_FOUND)\n");
    const { err } = await runLine(["tools", "get", "a", "--json"], { answers: { "dynamic.tool.get": refuse } });
    expect(JSON.parse(err)).toEqual({
      error: { code: "TOOL_NOT_FOUND", message: "there is no tool a", data: { name: "a" } },
    });
  });

  it("ends with 70 for a fault of ours", async () => {
    const { code, err } = await runLine(["tools", "list"]);
    expect(code).toBe(70);
    expect(err).toContain("a fault of ours");
  });

  it("turns an operation that failed into its code", async () => {
    const answers = { "dynamic.tool.delete": () => ({ state: "failed", code: "REVISION_CONFLICT", result: failedResult("REVISION_CONFLICT", "at 3") }) as const }; // prettier-ignore
    const { code, err } = await runLine(["tools", "delete", "a", "--expected-revision", "2"], { answers });
    expect(code).toBe(ERRORS.REVISION_CONFLICT.exit);
    expect(err).toContain("at 3");
  });

  it("keeps what an operation says about its failure", async () => {
    const data = { line: 2, column: 7, problems: [{ path: "/a" }] };
    const answers = { "dynamic.tool.create": () => ({ state: "failed", code: "INVALID_CODE", result: failedResult("INVALID_CODE", "bad", data) }) as const }; // prettier-ignore
    const { code, err } = await runLine(["tools", "create", "a", "--code", "return (", "--json"], { answers });
    expect(code).toBe(ERRORS.INVALID_CODE.exit);
    expect(JSON.parse(err)).toEqual({ error: { code: "INVALID_CODE", message: "bad", data } });
  });

  it("takes a file in the place of a command, and its servers along", async () => {
    const seen: unknown[] = [];
    const openApp: OpenApp = async (settings, { servers }) => {
      seen.push([servers?.file, Object.keys(servers?.raw ?? {}), settings.server.profiles]);
      throw new DynamicMcpError("STORE_UNAVAILABLE", "seen enough");
    };
    const text = '{ "mcpServers": { "a": {} } }';
    const readFile = (path: string) => (/\/nowhere\/(s.json|plain)$/.test(path) ? text : undefined);
    const input = { openApp, readFile };
    const lines = [
      ["s.json"],
      ["./s.json"],
      ["serve", "s.json"],
      ["serve", "plain"],
      ["plain"],
      ["--config", "s.json"],
    ];
    for (const line of lines) await runLine(line, { input });
    expect(seen).toEqual(lines.map((line) => [`/nowhere/${line.at(-1)?.replace("./", "")}`, ["a"], ["mvp"]]));
    seen.length = 0;
    await runLine(["s.json"], { input: { ...input, calledAs: "dmcp" } });
    await runLine([], { input: { ...input, calledAs: "dmcp", env: { DYNAMIC_MCP_CONFIG: "s.json" } } });
    await runLine(["s.json", "--profile", "mvp"], { input: { ...input, calledAs: "dmcp" } });
    expect(seen).toEqual([
      ["/nowhere/s.json", ["a"], ["proxy"]],
      ["/nowhere/s.json", ["a"], ["proxy"]],
      ["/nowhere/s.json", ["a"], ["mvp"]],
    ]);
    expect((await runLine(["s.json", "--config", "plain"], { input })).err).toContain("named twice");
    expect(await runLine(["none.json"], { input })).toMatchObject({ code: 2, err: expect.stringContaining("no file") });
  });

  it("says how dmcp is used when it has nothing to serve", async () => {
    const { code, out, err } = await runLine([], { input: { calledAs: "dmcp" } });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("Usage: dmcp <file>");
    expect((await runLine(["--version"], { input: { calledAs: "dmcp" } })).code).toBe(0);
  });

  it("limits those who are served, not the operator's own commands", async () => {
    const limits: number[] = [];
    const openApp: OpenApp = async ({ guard }) => {
      limits.push(guard.maxCallsPerWindow);
      throw new DynamicMcpError("STORE_UNAVAILABLE", "seen enough");
    };
    for (const line of [["serve"], ["tools", "get", "a"]]) {
      await runLine([...line, "--tool-max-calls-per-window", "2"], { input: { openApp } });
    }
    expect(limits).toEqual([2, Number.MAX_SAFE_INTEGER]);
  });

  it("leaves a command that is interrupted, and cancels its call", async () => {
    let stop = () => {};
    const stopped = new Promise<void>((resolve) => (stop = resolve));
    const ended: string[] = [];
    const answers = {
      slow: (_: unknown, { deadline }: { deadline: { signal: AbortSignal; reason: string | undefined } }) => {
        const end = new Promise<never>((_resolve, reject) => {
          deadline.signal.addEventListener("abort", () => {
            ended.push(String(deadline.reason));
            reject(new DynamicMcpError("CANCELLED", "cancelled"));
          });
        });
        stop();
        return end;
      },
    };
    const { code, isClosed } = await runLine(["call", "slow"], { answers, input: { stopped } });
    expect({ code, isClosed, ended }).toEqual({ code: 130, isClosed: true, ended: ["client"] });
  });

  it("ends once it is told to stop, although nothing else ever ends", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const never = () => new Promise<never>(() => {});
      const line = ["serve", "--shutdown-grace-ms", "1000"];
      const ended = runLine(line, { input: { stopped: Promise.resolve() }, app: { serveStdio: never, close: never } });
      await expect.poll(() => vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(16_000);
      expect(await ended).toMatchObject({ code: 130 });
    } finally {
      vi.useRealTimers();
    }
  });
});
