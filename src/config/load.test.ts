import { describe, expect, it } from "vitest";
import { bareMachine } from "./fixtures/machine.ts";
import { loadSettings } from "./load.ts";

const DATA = "/home/ann/.local/share/dynamic-mcp";
const FILE = `${DATA}/dynamic-mcp.json`;

async function problemsOf(given: Parameters<typeof bareMachine>[0]): Promise<{ where: string; message: string }[]> {
  const error: unknown = await loadSettings(bareMachine(given)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "CONFIG_INVALID" });
  return (error as { data: { problems: { where: string; message: string }[] } }).data.problems;
}

describe("loadSettings", () => {
  it("starts on plain defaults without a file, variable or flag", async () => {
    const { settings, warnings, origins, file } = await loadSettings(bareMachine());
    expect(settings.server).toMatchObject({ profiles: ["mvp"], transport: "stdio", dataDir: DATA });
    expect(settings.http).toMatchObject({ host: "127.0.0.1", port: 8788, path: "/mcp" });
    expect(settings.audit).toMatchObject({ enabled: false, file: `${DATA}/audit.log` });
    expect(warnings).toEqual([]);
    expect([...origins.values()].every(({ from }) => from === "default")).toBe(true);
    expect(file).toBeUndefined();
  });

  it("takes flags before variables before the file before defaults", async () => {
    const files = { [FILE]: '{ "settings": { "http": { "host": "::1", "port": 1, "path": "/file" } } }' };
    const { settings, origins } = await loadSettings(
      bareMachine({ files, env: { MCP_PORT: "2", MCP_PATH: "/env" }, argv: ["--port", "3"] }),
    );
    expect(settings.http).toMatchObject({ host: "::1", port: 3, path: "/env", maxSessions: 10_000 });
    expect(origins.get("http.port")).toEqual({ from: "flag", where: "--port" });
    expect(origins.get("http.path")).toEqual({ from: "env", where: "MCP_PATH" });
    expect(origins.get("http.host")).toEqual({ from: "file", where: `${FILE}:1:35` });
  });

  it("reads an environment file only when it is named, and below the real environment", async () => {
    const files = { "/work-folder/.env": "MCP_PORT=1\nMCP_HOST=::1 # loopback\n" };
    expect((await loadSettings(bareMachine({ files }))).settings.http.port).toBe(8788);
    const { settings, origins } = await loadSettings(
      bareMachine({ files, argv: ["--dotenv", ".env"], env: { MCP_PORT: "2" } }),
    );
    expect(settings.http).toMatchObject({ port: 2, host: "::1" });
    expect(origins.get("http.host")?.where).toBe("MCP_HOST in /work-folder/.env");
  });

  it("reports everything that is wrong at once, each with its place [config-all-at-once]", async () => {
    const files = { [FILE]: '{\n  "settings": {\n    "http": { "prot": 1 },\n  },\n}' };
    const problems = await problemsOf({
      files,
      argv: ["--transprt", "http", "--profile", "mpv"],
      env: { MCP_TOOL_MAX_CONCURRENCY: "0" },
    });
    expect(problems).toEqual([
      { where: "command line", message: "unknown flag --transprt; did you mean --transport?" },
      { where: `${FILE}:3:15`, message: 'unknown setting of "http": "prot"; did you mean "port"?' },
      { where: "--profile", message: expect.stringMatching(/^"mpv" is not .*did you mean mvp\?$/) },
      { where: "MCP_TOOL_MAX_CONCURRENCY", message: '"0" is not a whole number from 1 to 10000' },
    ]);
  });

  it.each(["99abc", "1e3", "0x50", "-1", "65536", "1.5", "٣", "9".repeat(400), "NaN"])(
    "refuses %s as a port",
    async (text) => {
      expect((await problemsOf({ env: { PORT: text } }))[0]?.where).toBe("PORT");
    },
  );

  it("takes the largest and smallest port", async () => {
    for (const port of ["0", "65535", " 80 "]) {
      const { settings } = await loadSettings(bareMachine({ env: { PORT: port } }));
      expect(settings.http.port).toBe(Number(port));
    }
  });

  it.each([
    ["1", true],
    ["true", true],
    ["YES", true],
    ["on", true],
    ["0", false],
    ["False", false],
    ["no", false],
    ["off", false],
  ])("reads the switch %s as %s", async (text, expected) => {
    const { settings } = await loadSettings(bareMachine({ env: { MCP_DYNAMIC_READ_ONLY: text } }));
    expect(settings.authoring.readOnly).toBe(expected);
  });

  it("refuses other words for a switch", async () => {
    expect(await problemsOf({ env: { MCP_DYNAMIC_READ_ONLY: "maybe" } })).toHaveLength(1);
  });

  it("takes an empty variable as unset, except where nothing is a value", async () => {
    const env = { MCP_PORT: "", MCP_PROFILE: " ", MCP_SANDBOX_ALLOWED_IMAGES: "" };
    const { settings } = await loadSettings(bareMachine({ env }));
    expect(settings.http.port).toBe(8788);
    expect(settings.server.profiles).toEqual(["mvp"]);
    expect(settings.sandbox.allowedImages).toEqual([]);
  });

  it("unites lists of repeated flags", async () => {
    const { settings } = await loadSettings(bareMachine({ argv: ["--pack", "a.js", "--pack=/b.js,~/c.js"] }));
    expect(settings.server.packs).toEqual(["/work-folder/a.js", "/b.js", "/home/ann/c.js"]);
  });

  it("starts relative paths of the file from the folder of the file", async () => {
    const files = { "/etc/dm/conf.json": '{ "settings": { "audit": { "file": "audit.jsonl" } } }' };
    const { settings, file } = await loadSettings(bareMachine({ files, argv: ["--config", "/etc/dm/conf.json"] }));
    expect(settings.audit.file).toBe("/etc/dm/audit.jsonl");
    expect(file).toBe("/etc/dm/conf.json");
  });

  it("looks for its file in the data folder, then in the user's configuration folder", async () => {
    const user = "/home/ann/.config/dynamic-mcp/dynamic-mcp.json";
    const files = { "/data/dynamic-mcp.json": "{}", [user]: "{}" };
    expect((await loadSettings(bareMachine({ files }))).file).toBe(user);
    expect((await loadSettings(bareMachine({ files, argv: ["--data-dir=/data"] }))).file).toBe(
      "/data/dynamic-mcp.json",
    );
  });

  it("says when a named file is not there or cannot be read", async () => {
    expect(await problemsOf({ argv: ["--config", "none.json"] })).toEqual([
      { where: "--config", message: "there is no file /work-folder/none.json" },
    ]);
    const readFile = () => {
      throw new Error("permission denied");
    };
    const problems = await problemsOf({ env: { DYNAMIC_MCP_CONFIG: "/x" }, readFile });
    expect(problems[0]).toMatchObject({ where: "DYNAMIC_MCP_CONFIG", message: expect.stringContaining("denied") });
  });

  it("keeps the store beside an older tools.json unless a data folder is given", async () => {
    const env = { MCP_DYNAMIC_STORE: "old/tools.json" };
    const { settings } = await loadSettings(bareMachine({ env }));
    expect(settings.store.importFrom).toBe("/work-folder/old/tools.json");
    expect(settings.server.dataDir).toBe("/work-folder/old");
    const other = await loadSettings(bareMachine({ env, argv: ["--data-dir", "/data"] }));
    expect(other.settings.server.dataDir).toBe("/data");
  });

  it("checks only the value that wins, so that a flag repairs a bad variable", async () => {
    const { settings } = await loadSettings(bareMachine({ env: { MCP_PORT: "abc" }, argv: ["--port", "1"] }));
    expect(settings.http.port).toBe(1);
  });

  it("warns of variables that look like ours and are not", async () => {
    const { warnings } = await loadSettings(bareMachine({ env: { MCP_PROT: "1", MCP_TIMEOUT: "5", OTHER: "x" } }));
    expect(warnings).toEqual([
      "the variable MCP_PROT is not one of ours; did you mean MCP_PORT?",
      expect.stringContaining("MCP_TIMEOUT"),
    ]);
  });

  it("warns of what has no effect yet, unless it is the default anyway", async () => {
    const { warnings } = await loadSettings(
      bareMachine({ env: { MCP_SANDBOX_MAX_SESSIONS: "20", MCP_ADMIN_EMAIL: "ann@example.com" } }),
    );
    expect(warnings).toEqual(["MCP_ADMIN_EMAIL has no effect until users with API keys exist"]);
  });

  it("never shows a secret", async () => {
    const problems = await problemsOf({ env: { MCP_ADMIN_TOKEN: "s3cret".repeat(1000) } });
    expect(JSON.stringify(problems)).not.toContain("s3cret");
    expect(problems[0]?.message).toMatch(/^\*\*\* is not /);
  });

  it.each([
    [["--auth-mode", "jwt"], "--auth-mode"],
    [["--auth-mode", "apikey"], "--auth-mode"],
    [["--dynamic-backend", "postgres"], "--dynamic-backend"],
    [["--require-admin-token"], "--require-admin-token"],
    [["--path", "/livez"], "--path"],
    [["--http-sse", "--path", "/sse"], "--path"],
    [["--experimental-upstream-mcp-attach"], "--experimental-upstream-mcp-attach"],
  ])("refuses %j, which would be unsafe to accept", async (argv, where) => {
    expect((await problemsOf({ argv }))[0]?.where).toBe(where);
  });

  it("shows other servers' tools in groups when it is nothing but a proxy", async () => {
    const exposure = async (...argv: string[]) => (await loadSettings(bareMachine({ argv }))).settings.tools.exposure;
    expect(await exposure()).toBe("auto");
    expect(await exposure("--profile", "proxy")).toBe("groups");
    expect(await exposure("--profile", "proxy,mvp")).toBe("auto");
    expect(await exposure("--profile", "proxy", "--exposure", "direct")).toBe("direct");
  });

  it("lets servers be attached by those who prove to be the operator", async () => {
    const argv = ["--experimental-upstream-mcp-attach", "--admin-token", "t"];
    expect((await loadSettings(bareMachine({ argv }))).settings.upstreams.attach).toBe(true);
  });

  it("gives the words and flags of a command back", async () => {
    const limit = { names: ["-n", "--lines"], form: "value" } as const;
    const { rest, settings } = await loadSettings(
      bareMachine({ argv: ["journal", "-n", "5", "--port=1", "tail", "--", "--x"], flags: [limit] }),
    );
    expect(rest.positionals).toEqual(["journal", "tail", "--x"]);
    expect(rest.flags).toEqual([{ spec: limit, name: "-n", text: "5" }]);
    expect(settings.http.port).toBe(1);
  });
});
