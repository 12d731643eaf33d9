import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { readDefinitions, type ReadContext } from "./read-definition.ts";

const context: ReadContext = {
  origin: "file",
  where: (name) => `/etc/mcp/dynamic-mcp.json: ${name}`,
  env: { PATH: "/bin", HOME: "/home/ann", TOKEN: "tok-123456", MCP_ADMIN_TOKEN: "admin", DYNAMIC_MCP_CONFIG: "x", LANG: "C" },
  folder: resolve("/etc/mcp"),
  homeDir: resolve("/home/ann"),
  platform: "linux",
}; // prettier-ignore

const read = (server: JsonObject, more: Partial<ReadContext> = {}, name = "one") => {
  const { definitions, problems } = readDefinitions({ [name]: server }, { ...context, ...more });
  return { ...definitions[0], problems };
};
const problemOf = (server: JsonObject) => read(server).problem;
const stdio = (more: JsonObject = {}): JsonObject => ({ command: "npx", ...more });

describe("definitions as other programs write them", () => {
  it("are taken with a list of tools, a type said twice, and what those programs call local", () => {
    const written = read({
      type: "local",
      transportType: "local",
      command: "npx",
      tools: ["*"],
      disabledTools: ["rm"],
    });
    expect(written).toMatchObject({ problems: [], target: { transport: "stdio" } });
    expect(written.tools).toEqual({ allow: ["*"], deny: ["rm"], rename: {} });
    expect(problemOf({ type: "stdio", transportType: "sse", command: "npx" })).toContain("mean the same");
  });

  it.each([[9_999, 9_999_000], [10_000, 10_000], ["30000", 30_000], ["${MS:-30000}", 30_000], ["30000s", 30_000_000]])(
    "may write %j for a time, milliseconds from 10,000 on, and is told so",
    (timeout, ms) => {
      const { timeouts, problems } = read(stdio({ timeout: { tools: timeout } }));
      expect(timeouts?.tools).toBe(ms);
      const isBare = ms >= 10_000 && ms < 1_000_000;
      expect(problems).toEqual(isBare ? [expect.objectContaining({ isRemark: true, message: `timeout.tools is taken as milliseconds: write "${ms}ms" to say so` })] : []);
    },
  ); // prettier-ignore

  it("may keep a server for hours until it is stopped, in seconds up to a day", () => {
    expect(read(stdio({ idleStop: 86_400 }))).toMatchObject({ idleStopMs: 86_400_000, problems: [] });
    expect(read(stdio({ idleStop: 120_000 })).idleStopMs).toBe(120_000);
  });

  it("name a wrong word, and say what of them has no effect", () => {
    expect(problemOf({ type: "websocket", command: "npx" })).toContain('got "websocket"');
    const { problem, problems } = read(stdio({ envFile: ".env" }));
    expect(problem).toBeUndefined();
    expect(problems).toMatchObject([{ isRemark: true, message: expect.stringContaining("belong into env") }]);
  });
});

describe("what a definition is by default", () => {
  it("is a program that sees our environment, without what is ours", () => {
    expect(read({ command: "npx", args: ["-y", "x", ""], env: { A: "1", PORT: 8080 } })).toEqual({
      name: "one",
      origin: "file",
      where: "/etc/mcp/dynamic-mcp.json: one",
      target: {
        transport: "stdio",
        command: "npx",
        args: ["-y", "x", ""],
        env: { PATH: "/bin", HOME: "/home/ann", TOKEN: "tok-123456", LANG: "C", A: "1", PORT: "8080" },
      },
      isEnabled: true,
      features: { tools: true, resources: true, prompts: true },
      timeouts: { connect: 30_000, tools: 300_000, resources: 60_000, prompts: 60_000 },
      tools: { allow: [], deny: [], rename: {} },
      prefix: "one",
      expose: undefined,
      isInteractive: false,
      idleStopMs: 0,
      maxConcurrency: 256,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      secrets: [],
      problems: [],
    });
  });

  it("gives little to a program that shall not see our environment", () => {
    const { target } = read(stdio({ inheritEnv: false, env: { A: "1" } }));
    expect(target).toMatchObject({ env: { PATH: "/bin", HOME: "/home/ann", LANG: "C", A: "1" } });
    expect(JSON.stringify(target)).not.toContain("tok-123456");
  });

  it.each([
    [{ url: "https://h/mcp" }, "auto"],
    [{ url: "https://h/mcp", type: "remote" }, "auto"],
    [{ url: "https://h/mcp", type: "http" }, "http"],
    [{ url: "https://h/mcp", type: "streamable-http" }, "http"],
    [{ url: "https://h/mcp", type: "streamableHttp" }, "http"],
    [{ url: "https://h/mcp", type: "streaming" }, "http"],
    [{ url: "https://h/sse", type: "sse" }, "sse"],
    [{ httpUrl: "https://h/mcp" }, "auto"],
    [{ serverUrl: "https://h/mcp", transport: "sse" }, "sse"],
  ])("finds the transport of %j: %s", (server, transport) => {
    expect(read(server).target?.transport).toBe(transport);
  });
});

describe("a definition", () => {
  it("says all that can be said", () => {
    const all = read({
      type: "stdio",
      command: "./bin/server.js",
      cwd: "work",
      description: "All of it",
      enabled: true,
      features: { resources: false, prompts: false },
      timeout: { connect: "1min", tools: "2h", resources: "500ms", prompts: 7 },
      tools: { allow: ["read_*"], deny: ["*_all"], rename: { read_file: "read" } },
      prefix: false,
      expose: "groups",
      interactive: true,
      idleStop: "10m",
      maxConcurrency: 3,
    });
    expect(all.problem).toBeUndefined();
    expect(all).toMatchObject({
      target: { command: join(context.folder, "bin/server.js"), cwd: join(context.folder, "work") },
      description: "All of it",
      features: { tools: true, resources: false, prompts: false },
      timeouts: { connect: 60_000, tools: 7_200_000, resources: 500, prompts: 7_000 },
      tools: { allow: ["read_*"], deny: ["*_all"], rename: { read_file: "read" } },
      prefix: "",
      expose: "groups",
      isInteractive: true,
      idleStopMs: 600_000,
      maxConcurrency: 3,
    });
  });

  it("may have one time for all", () => {
    const all = { connect: 45_000, tools: 45_000, resources: 45_000, prompts: 45_000 };
    expect(read(stdio({ timeout: 45 })).timeouts).toEqual(all);
    expect(read(stdio({ timeout: "45s" })).timeouts).toEqual(all);
  });

  it.each([["1ms", 1], ["24h", 86_400_000], [0.001, 1], [86_400, 86_400], ["90 s", 90_000], ["1.5m", 90_000]])(
    "takes %j for a time",
    (timeout, ms) => expect(read(stdio({ timeout })).timeouts?.tools).toBe(ms),
  ); // prettier-ignore
  it.each([0, -1, "0s", "25h", 86_400_001, "soon", "1 day", "", true, [1]])(
    "does not take %j for a time",
    (timeout) => {
      expect(problemOf(stdio({ timeout }))).toMatch(/^timeout must be a time/);
    },
  );

  it.each([[true, "one"], [false, ""], ["", ""], ["git", "git"]])("with prefix %j has the prefix %j", (prefix, is) => {
    expect(read(stdio({ prefix })).prefix).toBe(is);
  }); // prettier-ignore

  it("renames by patterns with one star on each side, and by no others", () => {
    const rename = { "browser_*": "b_*", x: "y*" };
    expect(read(stdio({ tools: { rename } })).tools?.rename).toEqual(rename);
    for (const [from, to] of [
      ["a*", "b"],
      ["a*", "b**"],
      ["a*b*", "c*"],
    ] as const) {
      expect(problemOf(stdio({ tools: { rename: { [from]: to } } }))).toContain("need one * each");
    }
  });

  it("takes paths of the home folder, and leaves names of programs alone", () => {
    expect(read({ command: "~/bin/x", cwd: "~" }).target).toMatchObject({ command: join(context.homeDir, "bin/x"), cwd: context.homeDir }); // prettier-ignore
    expect(read({ command: "uvx", args: ["~/x", "./y"] }).target).toMatchObject({ command: "uvx", args: ["~/x", "./y"] }); // prettier-ignore
  });

  it("is switched off either way, and says nothing of its problems then", () => {
    expect(read(stdio({ enabled: false })).isEnabled).toBe(false);
    expect(read(stdio({ disabled: true })).isEnabled).toBe(false);
    expect(read(stdio({ disabled: false })).isEnabled).toBe(true);
    expect(read({ enabled: false, url: "${NONE}" })).toMatchObject({ isEnabled: false, problems: [] });
  });
});

describe("variables", () => {
  it("are replaced in every text", () => {
    const env = { V: "v" };
    const { target, description, tools, problem } = read(
      { command: "${V}", args: ["${V}"], env: { A: "${V}" }, description: "${V}", tools: { allow: ["${V}"] }, enabled: "${ON:-true}", timeout: "${T:-5s}" },
      { env },
    ); // prettier-ignore
    expect(problem).toBeUndefined();
    expect(target).toMatchObject({ command: "v", args: ["v"], env: { A: "v" } });
    expect({ description, allow: tools?.allow }).toEqual({ description: "v", allow: ["v"] });
    expect(read({ url: "https://${V}/mcp", headers: { "X-A": "${V}" } }, { env }).target).toEqual({
      transport: "auto",
      url: "https://v/mcp",
      headers: { "X-A": "v" },
    });
  });

  it("that are not set disable this server alone, which says which and where", () => {
    const { definitions, problems } = readDefinitions(
      { bad: stdio({ env: { KEY: "${NOT_SET}" } }), good: stdio() },
      context,
    );
    expect(definitions[0]).toMatchObject({ target: undefined, problem: "env.KEY: the variable NOT_SET is not set" });
    expect(definitions[1]?.target).toBeDefined();
    expect(problems).toEqual([
      { server: "bad", where: "/etc/mcp/dynamic-mcp.json: bad", message: "env.KEY: the variable NOT_SET is not set", isRemark: false },
    ]); // prettier-ignore
  });
});

describe("secrets", () => {
  it("are what variables gave, and literals whose name says so; nothing that would hide ordinary words", () => {
    const { secrets } = read(
      stdio({
        env: { A: "${TOKEN}", HOME_DIR: "${HOME}/x", MODE: "${MODE}", URL: "${URL}", API_KEY: "literal-key", B: "plain" },
        args: ["--token", "arg-token", "--api-key=other", "--token", "--x", "${DB_PASSWORD}"],
      }),
      { env: { ...context.env, MODE: "production", URL: "https://api.example.com/", DB_PASSWORD: "hunter" } },
    ); // prettier-ignore
    expect(secrets?.toSorted()).toEqual(["arg-token", "hunter", "literal-key", "other", "tok-123456"]);
  });

  it("are those of headers and of the address", () => {
    const { secrets, target } = read({
      url: "https://ann:pass%20word@h/mcp?api_key=qq-1&x=1",
      headers: { "X-Api-Key": "k-1", Cookie: "s=${TOKEN}", Accept: "x" },
    });
    expect(target).toMatchObject({ url: "https://h/mcp?api_key=qq-1&x=1" });
    expect(target).toHaveProperty("headers.Authorization", `Basic ${btoa("ann:pass word")}`);
    expect(secrets?.toSorted()).toEqual([btoa("ann:pass word"), "k-1", "qq-1", "s=tok-123456", "tok-123456"].toSorted()); // prettier-ignore
  });
});

describe("digest", () => {
  const digest = (server: JsonObject, more: Partial<ReadContext> = {}) => read(server, more).digest;
  it("tells apart what answers differently, and nothing else", () => {
    const one = digest(stdio({ env: { A: "1", B: "2" } }));
    expect(digest(stdio({ env: { B: "2", A: "1" }, description: "other", timeout: 5 }))).toBe(one);
    expect(digest(stdio({ env: { A: "1", B: "2" } }), { env: { PATH: "/other" } })).toBe(one);
    for (const other of [{ A: "1" }, { A: "1", B: "3" }]) expect(digest(stdio({ env: other }))).not.toBe(one);
    expect(digest({ url: "http://h/", headers: { A: "1" } })).not.toBe(digest({ url: "http://h/", headers: { A: "2" } })); // prettier-ignore
  });
});

describe("what is wrong", () => {
  it.each([
    [{}, /^needs a command to start or a url/],
    [{ command: "x", url: "http://h" }, /both a command and a url/],
    [{ type: "stdio", url: "http://h" }, /both|command is missing/],
    [{ type: "http" }, /of type http needs a url/],
    [{ url: "ftp://h" }, /^url must be an http or https URL/],
    [{ url: "nowhere" }, /^url must be an http or https URL/],
    [{ command: ["npx"] }, /^command must be a text .* got an array of 1/],
    [{ command: "x", arg: ["a"] }, /^arg is not a known key; did you mean "args"\?/],
    [{ command: "x", tools: { alow: [] } }, /^tools.alow is not a known key; did you mean "allow"\?/],
    [{ command: "x", type: "stdoi" }, /^type must be one of .*; did you mean stdio\?/],
    [{ command: "x", expose: "all" }, /^expose must be one of direct, search/],
    [{ command: "x", maxConcurrency: 0 }, /^maxConcurrency must be a whole number from 1/],
    [{ command: "x", env: { "A=B": "1" } }, /^env "A=B" is not a name/],
    [{ command: "x", env: { A: {} } }, /^env.A must be a text/],
    [{ url: "http://h", headers: { A: "x\r\nB: y" } }, /^headers.A has characters/],
    [{ url: "http://h", headers: { "A B": "x" } }, /^headers "A B" is not a name/],
    ["npx", /^must be an object/],
    [null, /^must be an object/],
  ])("%j", (server, message) => {
    const { definitions } = readDefinitions({ one: server }, context);
    expect(definitions[0]?.problem).toMatch(message);
    expect(definitions[0]?.target).toBeUndefined();
  });

  it("never shows a value, which may be a secret", () => {
    expect(problemOf({ command: "x", timeout: "hunter2", env: "hunter2", args: "hunter2" })).not.toContain("hunter2");
  });

  it("is a name that nobody can write", () => {
    for (const name of ["", " ", "a\nb", "\ud800x", "x".repeat(129)])
      expect(read(stdio(), {}, name).problem).toMatch(/its name/);
    for (const name of ["x".repeat(128), "Ünï cödé", "__proto__"]) {
      const raw = JSON.parse(`{${JSON.stringify(name)}:{"command":"x"}}`) as JsonObject;
      expect(readDefinitions(raw, context).definitions[0]).toMatchObject({ name, prefix: name, target: {} });
    }
  });
});

describe("files of other programs", () => {
  it("of dmcp and modular-mcp work unchanged", () => {
    const { definitions, problems } = readDefinitions(
      {
        github: { type: "http", description: "GitHub", url: "https://h/mcp", headers: { Authorization: "Bearer ${TOKEN}" }, oauth_client_id: "x", oauth_scopes: ["a"], features: { prompts: false }, timeout: { tools: "1min", resources: 10 }, enabled: true },
        fs: { description: "Files", command: "npx", args: ["-y", "server-filesystem", "${HOME}"], env: { DEBUG: "1" } },
      },
      context,
    ); // prettier-ignore
    expect(definitions.map(({ problem }) => problem)).toEqual([undefined, undefined]);
    expect(definitions[0]?.timeouts).toMatchObject({ tools: 60_000, resources: 10_000 });
    expect(problems.map(({ isRemark, message }) => [isRemark, message.split(" ")[0]])).toEqual([
      [true, "oauth_client_id"],
      [true, "oauth_scopes"],
    ]);
  });

  it("may have keys that mean nothing here, and filters that do", () => {
    const { problem, tools } = read(
      stdio({ alwaysAllow: ["a"], autoApprove: [], _comment: "x", "//": 1, icon: "i", $schema: "s", disabledTools: ["b"], includeTools: ["c*"], env: null }),
    ); // prettier-ignore
    expect(problem).toBeUndefined();
    expect(tools).toMatchObject({ deny: ["b"], allow: ["c*"] });
  });
});

it("reads seventy servers in no time", () => {
  const env = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`V_${n}`, "x".repeat(40)]));
  const raw = Object.fromEntries(
    Array.from({ length: 70 }, (_, n) => [`s${n}`, { command: "npx", args: ["-y", `p${n}`], env: { KEY: "${V_1}" }, timeout: { tools: "30s" }, tools: { allow: ["a*"] } }]),
  ); // prettier-ignore
  readDefinitions(raw, { ...context, env });
  const started = performance.now();
  readDefinitions(raw, { ...context, env });
  expect(performance.now() - started).toBeLessThan(20);
});
