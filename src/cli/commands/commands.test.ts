import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CallRecord } from "../../core/call.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { failedResult, LOGS_META } from "../../core/results.ts";
import { type Answer, runLine } from "../fixtures/command-line.ts";
import { tools, UPPER } from "../fixtures/tools.ts";

const TYPED = {
  ...UPPER,
  name: "text.lower",
  language: "ts",
  code: "const t: string = args.text;\nreturn t",
  title: "Lower",
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmcp-cli-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("tools", () => {
  it("lists all pages, as a table and as JSON", async () => {
    const answers = tools(UPPER, TYPED);
    const { out } = await runLine(["tools", "list", "text", "low"], { answers });
    expect(out.split("\n").slice(0, 2)).toEqual([
      "name        from  state                description",
      "text.upper  code  enabled, revision 3  Upper case",
    ]);
    const ran = await runLine(["tools", "list", "--json"], { answers });
    expect(JSON.parse(ran.out)).toHaveLength(2);
    expect(ran.called[1]?.args).toEqual({ includeDisabled: false, cursor: "1" });
  });

  it("keeps what others wrote from moving the cursor", async () => {
    const { out } = await runLine(["tools", "list"], { answers: tools({ ...UPPER, description: "a\u001b[2J\nb" }) });
    expect(out).toContain("a[2J b");
  });

  it("prints the code alone", async () => {
    expect((await runLine(["tools", "get", "text.upper", "--code-only"], { answers: tools(UPPER) })).out).toBe(
      `${UPPER.code}\n`,
    );
  });

  it("creates from flags, files and standard input", async () => {
    await writeFile(join(folder, "up.ts"), "return 1");
    const line = [
      "tools",
      "create",
      "a.b",
      "--description",
      "d",
      "--timeout-ms",
      "500",
      "--input-schema",
      '{"type":"object"}',
      "--code",
    ];
    const input = { cwd: folder };
    const fromFile = await runLine([...line, "@up.ts"], { answers: tools(), input });
    const tool = { name: "a.b", description: "d", timeoutMs: 500, inputSchema: { type: "object" }, code: "return 1" };
    expect(fromFile.called[0]?.args).toEqual({ tool: { ...tool, language: "ts" } });
    const fromStdin = await runLine([...line, "-", "--dry-run"], { answers: tools(), stdin: "return 1" });
    expect(fromStdin.called[0]?.args).toEqual({ tool, dryRun: true });
  });

  it("updates, clears, enables and rolls back", async () => {
    const answers = tools();
    const changed = await runLine(
      ["tools", "update", "a", "--title", "T", "--clear", "inputSchema, image", "--expected-revision=2"],
      { answers },
    );
    expect(changed.called[0]?.args).toEqual({
      name: "a",
      patch: { inputSchema: null, image: null, title: "T" },
      expectedRevision: 2,
    });
    expect((await runLine(["tools", "disable", "a"], { answers })).called[0]?.args).toEqual({
      name: "a",
      enabled: false,
    });
    expect((await runLine(["tools", "rollback", "a", "1"], { answers })).called[0]?.args).toEqual({
      name: "a",
      revision: 1,
    });
    expect((await runLine(["tools", "history", "a"], { answers })).out).toContain("create");
  });

  it("exports files that import to the same tools", async () => {
    const target = join(folder, "tools");
    const exported = await runLine(["tools", "export", target], { answers: tools(UPPER, TYPED) });
    expect(exported).toMatchObject({ code: 0, out: `Wrote 2 tools to ${target}.\n` });
    expect((await readdir(target)).toSorted()).toEqual([
      "text_lower.tool.json",
      "text_lower.ts",
      "text_upper.js",
      "text_upper.tool.json",
    ]);
    expect(await readFile(join(target, "text_upper.js"), "utf8")).toBe(UPPER.code);
    expect(JSON.parse(await readFile(join(target, "text_upper.tool.json"), "utf8"))).toEqual({
      name: "text.upper",
      description: "Upper case",
      codeFile: "text_upper.js",
    });

    const same = await runLine(["tools", "import", target], { answers: tools(UPPER, TYPED) });
    expect(same.out).toMatch(/^unchanged  text\.lower\nunchanged  text\.upper\n$/);
    const fresh = await runLine(["tools", "import", target], { answers: tools() });
    expect(fresh.called.filter(({ name }) => name === "dynamic.tool.create").map(({ args }) => args)).toEqual([
      { tool: { name: "text.lower", title: "Lower", description: "Upper case", language: "ts", code: TYPED.code } },
      { tool: { name: "text.upper", description: "Upper case", code: UPPER.code } },
    ]);
  });

  it("imports what changed as an update of the revision it saw, or keeps what is there", async () => {
    await writeFile(
      join(folder, "text_upper.tool.json"),
      '{ "name": "text.upper", "description": "New", "code": "return 2" }',
    );
    const there = { ...UPPER, title: "Old", timeoutMs: 500 };
    const { called, out } = await runLine(["tools", "import", folder], { answers: tools(there) });
    expect(out).toBe("updated    text.upper\n");
    expect(called[1]).toEqual({
      name: "dynamic.tool.update",
      args: {
        name: "text.upper",
        expectedRevision: 3,
        patch: { description: "New", code: "return 2", title: null, image: null, timeoutMs: null, dependencies: null },
      },
    });
    expect((await runLine(["tools", "import", folder, "--keep"], { answers: tools(there) })).out).toContain("kept");
  });

  it.each([
    ["does not compile", "INVALID_CODE"],
    ["needs an engine that is not there", "ENGINE_UNAVAILABLE"],
  ] as const)("imports an older tools.json and goes on after one that %s", async (_, code) => {
    const path = join(folder, "tools.json");
    await writeFile(path, JSON.stringify({ version: 1, tools: [{ ...UPPER, name: "bad" }, UPPER] }));
    const answers = {
      ...tools(),
      "dynamic.tool.create": (({ tool }) => {
        if ((tool as JsonObject)["name"] === "bad") throw new DynamicMcpError(code, "line 1");
        return {};
      }) satisfies Answer,
    };
    expect(await runLine(["tools", "import", path], { answers })).toMatchObject({
      code: 1,
      out: "failed     bad: line 1\ncreated    text.upper\n",
    });
  });

  it.each([
    ["tools.json", "[]", "no list"],
    ["x.tool.json", "{", "not JSON"],
    ["x.tool.json", '{ "name": "x", "codeFile": "../secret.js" }', "same folder"],
    ["x.tool.json", '{ "name": "x" }', "x.js"],
  ])("says what is wrong with %s holding %s", async (name, text, hint) => {
    await writeFile(join(folder, name), text);
    const { code, err } = await runLine(["tools", "import", join(folder, name)]);
    expect(code).toBe(2);
    expect(err).toContain(hint);
  });
});

describe("call", () => {
  const failed = { state: "failed", code: "CODE_THREW", result: failedResult("CODE_THREW", "Error: no") } as const;
  const done = {
    state: "done",
    result: {
      content: [{ type: "text", text: "HI" }],
      structuredContent: "HI",
      _meta: { [LOGS_META]: [{ level: "log", text: "seen" }] },
    },
  } as const;

  it("prints the text of the result, and what was logged to stderr", async () => {
    const ran = await runLine(["call", "up", "--args", '{"text":"hi"}'], {
      answers: { up: () => structuredClone(done) as never },
    });
    expect(ran).toMatchObject({
      code: 0,
      out: "HI\n",
      err: "log: seen\n",
      called: [{ name: "up", args: { text: "hi" } }],
    });
  });

  it("prints the whole result with --json, and ends with the fault of a tool that failed", async () => {
    const answers = { up: () => failed };
    const ran = await runLine(["call", "up", "--args", "-", "--json"], { answers, stdin: "{}" });
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({ isError: true });
    expect(await runLine(["call", "up"], { answers })).toMatchObject({ code: 1, out: "", err: "Error: no\n" });
  });
});

describe("journal tail", () => {
  const record = (id: string, at: string): CallRecord => ({
    id, at, requestId: "r", principal: "local", kind: "tool", name: "text.upper", outcome: "failed", code: "TIMEOUT",
    message: "too\nslow", durationMs: 12.4, bytesIn: 1,
  }); // prettier-ignore
  const records = [record("2", "2026-01-01T00:00:02.000Z"), record("1", "2026-01-01T00:00:01.000Z")];

  it("shows calls, oldest first, each on one line", async () => {
    const { out } = await runLine(["journal", "tail"], { records });
    expect(out.split("\n")[0]).toBe("2026-01-01 00:00:01Z  failed       12 ms  local  text.upper  TIMEOUT: too slow");
    const asJson = await runLine(["journal", "tail", "-n", "1", "--json"], { records });
    expect(JSON.parse(asJson.out)).toMatchObject({ id: "2" });
  });

  it("follows until it is stopped, and shows each call once", async () => {
    let stop = () => {};
    const stopped = new Promise<void>((resolve) => (stop = resolve));
    let asked = 0;
    const store = {
      calls: {
        recent: async () => {
          if (++asked === 3) stop();
          return asked === 1 ? [records[1] as CallRecord] : records;
        },
      },
    } as never;
    const { code, out } = await runLine(["journal", "tail", "-f", "--json"], { app: { store }, input: { stopped } });
    expect(code).toBe(0);
    expect(out.trim().split("\n").map((line) => (JSON.parse(line) as CallRecord).id)).toEqual(["1", "2"]); // prettier-ignore
  });
});

describe("doctor", () => {
  const quickjs = (isAvailable: boolean) => ({
    name: "quickjs" as const,
    probe: async () => ({ name: "quickjs" as const, isAvailable, level: "locked child", problem: "install it" }),
  });
  const listenHttp = async () => ({ url: "http://127.0.0.1:1/mcp", port: 1, close: async () => {} });

  it("says that all is well", async () => {
    const { code, out } = await runLine(["doctor"], { app: { engines: [quickjs(true)], listenHttp } });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^ok +node .*\nok +settings .*\nok +store .*\nok +engine quickjs +locked child\nok +packages +.*bubblewrap\nok +port +/,
    );
  });

  it("notes when packages are unpacked with less than a jail", async () => {
    const health = async () => ({ layers: 1, bytes: 2_000_000, budgetBytes: 1e9, installer: "permissions" });
    const { code, out } = await runLine(["doctor"], { app: { engines: [quickjs(true)], listenHttp, packages: { health } } }); // prettier-ignore
    expect(code).toBe(0);
    expect(out).toMatch(/^note +packages +.*permissions of Node.*install bubblewrap$/m);
  });

  it("says what to do, and fails only for what is needed", async () => {
    const taken = async () => {
      throw new DynamicMcpError("ADDRESS_IN_USE", "the port 8788 is taken; choose another with --port");
    };
    const app = { engines: [quickjs(true)], listenHttp: taken };
    expect(await runLine(["doctor"], { app })).toMatchObject({ code: 0, out: expect.stringContaining("note  port") });
    expect(await runLine(["doctor", "--transport=http"], { app })).toMatchObject({
      code: 4,
      out: expect.stringContaining("FAIL  port"),
    });
    const ran = await runLine(["doctor", "--json"], { app: { engines: [quickjs(false)], listenHttp } });
    expect(ran.code).toBe(4);
    expect(JSON.parse(ran.out)).toMatchObject({
      isOk: false,
      findings: expect.arrayContaining([expect.objectContaining({ text: "install it" })]),
    });
  });

  it("goes on when the store cannot be opened", async () => {
    const openApp = async () => {
      throw new DynamicMcpError("STORE_UNAVAILABLE", "the folder cannot be written");
    };
    expect(await runLine(["doctor"], { input: { openApp } })).toMatchObject({
      code: 4,
      out: expect.stringContaining("FAIL  store"),
    });
  });
});

describe("serve", () => {
  it("ends well when the client goes away, and when somebody asks to stop", async () => {
    expect(await runLine([], { app: { serveStdio: async () => {} } })).toMatchObject({
      code: 0,
      out: "",
      isClosed: true,
    });
    const forever = () => new Promise<never>(() => {});
    const ran = await runLine(["serve"], { app: { serveStdio: forever }, input: { stopped: Promise.resolve() } });
    expect(ran).toMatchObject({ code: 0, isClosed: true });
  });

  it("says where it listens and how clients connect, on stderr", async () => {
    const listenHttp = async () => ({ url: "http://127.0.0.1:9/mcp", port: 9, close: async () => {} });
    const given = { app: { listenHttp }, input: { stopped: Promise.resolve() } };
    const { code, out, err } = await runLine(["--transport", "http", "--data-dir", "/d"], given);
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toContain("claude mcp add --transport http dynamic-mcp http://127.0.0.1:9/mcp");
    expect(err).toContain('"args":["/app/dist/main.js","--data-dir","/d"]');
    expect((await runLine(["--transport", "http", "--log-level", "warn"], given)).err).toBe("");
  });

  it("refuses an address that others reach before anything is opened", async () => {
    expect(await runLine(["serve", "--transport", "http", "--host", "0.0.0.0"])).toMatchObject({
      code: 2,
      isClosed: false,
    });
  });
});

describe("config", () => {
  it("explains values and their origins", async () => {
    const { out } = await runLine([
      "config",
      "explain",
      "--changed",
      "--admin-token",
      "s3cret",
      "--port",
      "1",
      "--json",
    ]);
    expect(JSON.parse(out)).toMatchObject({
      settings: [
        { key: "http.port", value: 1 },
        { key: "admin.token", value: "***" },
      ],
    });
    expect(out).not.toContain("s3cret");
  });
});
