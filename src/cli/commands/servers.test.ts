import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runLine } from "../fixtures/command-line.ts";
import { servers, state } from "../fixtures/servers.ts";

const CONFIG = "/etc/dynamic-mcp.json";
const FILE = `{ "mcpServers": {\n  "filed": { "command": "x", "args": ["--token", "s3cret"], "env": { "A": "s3cret", "B": "\${B}" } } } }`;
const readFile = (path: string) => (path === CONFIG ? FILE : undefined);
const withFile = { input: { readFile, env: { DYNAMIC_MCP_CONFIG: CONFIG } } };
const filed = state("filed", { origin: "file", where: `${CONFIG}:2:3` });

async function added(...line: string[]) {
  const { kept, app } = servers();
  const ran = await runLine(["add", ...line], { app });
  return { ...ran, definition: kept.get(line.find((word) => /^(git|docs)$/.test(word)) ?? "") };
}

describe("add", () => {
  it.each([
    [["git", "--", "uvx", "mcp-server-git", "-v", "--json"], { command: "uvx", args: ["mcp-server-git", "-v", "--json"] }],
    [["git", "npx", "some-server"], { command: "npx", args: ["some-server"] }],
    [["git", "-e", "A=1", "--env", "B=x=y", "-e", "C=", "--", "npx"], { command: "npx", env: { A: "1", B: "x=y", C: "" } }],
    [["-e", "A=${A}", "git", "--scope", "user", "--", "npx"], { command: "npx", env: { A: "${A}" } }],
    [["git", "--", "./server.js"], { command: resolve("/nowhere/server.js") }],
    [["git", "--", "bin/server"], { command: resolve("/nowhere/bin/server") }],
    [["git", "--", "~/bin/server", "${HOME}/x"], { command: "~/bin/server", args: ["${HOME}/x"] }],
    [["git", "--", "npx", "server-filesystem", "."], { command: "npx", args: ["server-filesystem", "."], cwd: "/nowhere" }],
    [["git", "--", "node", "./server.js"], { command: "node", args: ["./server.js"], cwd: "/nowhere" }],
    [["git", "--cwd", "sub", "--description", "Git", "--", "x"], { command: "x", cwd: resolve("/nowhere/sub"), description: "Git" }],
    [["docs", "https://h/mcp"], { url: "https://h/mcp" }],
    [["docs", "--url", "https://h/mcp", "-H", "Authorization: Bearer ${T}", "--header", "X-A:b: c"], { url: "https://h/mcp", headers: { Authorization: "Bearer ${T}", "X-A": "b: c" } }],
    [["--transport", "http", "docs", "https://h/mcp"], { type: "http", url: "https://h/mcp" }],
    [["-t", "sse", "docs", "https://h/sse"], { type: "sse", url: "https://h/sse" }],
    [["docs", "--url", "${WHERE}"], { url: "${WHERE}" }],
    [["docs", '{"url":"https://h","prefix":false}'], { url: "https://h", prefix: false }],
  ])("%j", async (line, definition) => {
    const ran = await added(...line);
    expect({ err: ran.err, definition: ran.definition }).toEqual({ err: expect.stringContaining("trying it"), definition });
    expect(ran.code).toBe(0);
    expect(ran.out).toContain("works: 2 tools, 1 prompt (stdio, MCP 2025-11-25, Something 1.2)");
  }); // prettier-ignore

  it.each([
    [["git"], "Add a command behind --"],
    [["git", "-e", "s3cret", "--", "x"], "-e takes NAME=value"],
    [["docs", "-H", "s3cret", "https://h"], '-H takes "Name: value"'],
    [["docs", "-e", "A=1", "https://h"], "for servers that we start"],
    [["git", "-H", "A: b", "--", "x"], "for servers at a URL"],
    [["docs", "https://h", "x"], "has no command"],
    [["docs", "-t", "stdio", "https://h"], "takes a command"],
    [["git", "-t", "http", "--", "npx"], "takes a URL"],
    [["git", "-t", "websocket", "--", "npx"], "--type is one of"],
    [["git", "npx", "-y", "x"], "stand behind --"],
    [["docs", "--url", "not a url"], "url must be an http or https URL"],
    [["docs", '{"comand":"x"}'], 'did you mean "command"?'],
    [["docs", '{"command":"x","timeout":"soon"}'], "timeout must be a time"],
  ])("%j is refused", async (line, hint) => {
    const ran = await added(...line);
    expect(ran).toMatchObject({ code: 2, out: "", definition: undefined });
    expect(ran.err).toContain(hint);
    expect(ran.err).not.toContain("s3cret");
  });

  it("keeps one that does not work, and says so by its exit code too", async () => {
    const { kept, app } = servers();
    const ran = await runLine(["add", "bad", "--", "down"], { app });
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toContain("bad is kept, and does not work: bad did not start");
    expect(kept.has("bad")).toBe(true);
    const asJson = await runLine(["add", "bad", "--force", "--json", "--", "down"], { app });
    expect(JSON.parse(asJson.out)).toMatchObject({ done: "replaced", works: false, error: { code: "UPSTREAM_UNAVAILABLE" } }); // prettier-ignore
    expect(await runLine(["add", "bad", "--force", "--no-check", "--", "down"], { app })).toMatchObject({ code: 0 });
  });

  it("replaces only what it is told to, and nothing of a file", async () => {
    const { app } = servers(filed);
    await runLine(["add", "git", "--", "a"], { app });
    expect(await runLine(["add", "git", "--", "b"], { app })).toMatchObject({ code: 1 });
    const { code, err } = await runLine(["add", "filed", "--force", "--", "b"], { app, ...withFile });
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(`${CONFIG}:2:3`) });
  });
});

describe("servers", () => {
  it("are listed, under the short name too", async () => {
    const { app } = servers(filed, state("down", { status: "down", problem: "no such\nprogram" }));
    const { out } = await runLine(["list"], { app });
    expect(out).toContain("filed  ready   file   stdio  2 tools, 1 prompt  What filed does");
    expect(out).toContain("no such program");
    const { servers: all } = JSON.parse((await runLine(["servers", "list", "--json"], { app })).out) as { servers: unknown[] }; // prettier-ignore
    expect(all).toHaveLength(2);
    expect((await runLine(["list"], { app: servers().app })).err).toContain("No servers");
  });

  it("are shown without their secrets", async () => {
    const { app } = servers(filed);
    await runLine(["add", "git", "-e", "K=s3cret", "--", "x", "--api-key=s3cret", "a"], { app });
    await runLine(["add", "docs", "-H", "X: s3cret", "https://u:s3cret@h/?api_key=s3cret&q=1"], { app });
    for (const name of ["filed", "git", "docs"]) {
      for (const line of [["get", name], ["servers", "get", name, "--json"]]) {
        const { out, code } = await runLine(line, { app, ...withFile });
        expect({ code, hasSecret: out.includes("s3cret") }).toEqual({ code: 0, hasSecret: false });
        expect(out).toContain("***");
      }
    } // prettier-ignore
    const { definition } = JSON.parse((await runLine(["get", "filed", "--json"], { app, ...withFile })).out) as { definition: unknown }; // prettier-ignore
    expect(definition).toEqual({ command: "x", args: ["--token", "***"], env: { A: "***", B: "${B}" } });
  });

  it("of the store are removed, those of a file are not", async () => {
    const { app, kept } = servers(filed);
    await runLine(["add", "git", "--", "x"], { app });
    expect(await runLine(["remove", "git"], { app })).toMatchObject({ code: 0, err: "Removed git.\n" });
    expect(kept.size).toBe(0);
    const { code, err } = await runLine(["servers", "remove", "filed"], { app, ...withFile });
    expect(code).toBe(1);
    expect(err).toContain(`defined in ${CONFIG}:2:3`);
    expect(err).toContain("SERVER_READ_ONLY");
  });

  it("are restarted wherever they run; a wrong name gets the nearest", async () => {
    const { app, restarted } = servers(filed);
    expect(await runLine(["servers", "restart", "filed"], { app })).toMatchObject({ code: 0 });
    expect(restarted).toEqual(["filed"]);
    for (const verb of ["restart", "get", "remove"]) {
      const { code, err } = await runLine(["servers", verb, "fild"], { app });
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('did you mean "filed"?') });
    }
  });

  it("are removed and restarted for programs too", async () => {
    const { app } = servers(filed);
    await runLine(["add", "git", "--", "x"], { app });
    expect(JSON.parse((await runLine(["servers", "restart", "git", "--json"], { app })).out)).toEqual({ name: "git", done: "told" }); // prettier-ignore
    expect(JSON.parse((await runLine(["remove", "git", "--json"], { app })).out)).toEqual({ name: "git", done: "removed" }); // prettier-ignore
  });

  it("are told about in `doctor`", async () => {
    const { app } = servers(filed);
    await runLine(["add", "bad", "--no-check", "--", "down"], { app });
    const { out } = await runLine(["doctor"], { app });
    expect(out).toMatch(/ok {4}server filed {4}2 tools/);
    expect(out).toMatch(/note {2}server bad {6}bad did not start/);
  });
});

describe("servers logs", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "server-logs-"));
  const folder = join(dataDir, "logs", "servers");
  const file = join(folder, "a%20b.log");
  const line = (text: string, from = "stderr") => `${JSON.stringify({ at: "2026-01-02T03:04:05.678Z", from, text })}\n`;
  beforeAll(() => mkdirSync(folder, { recursive: true }));
  afterAll(() => rmSync(dataDir, { recursive: true }));
  const logs = (name: string, ...more: string[]) =>
    runLine(["servers", "logs", name, "--data-dir", dataDir, ...more], { app: servers(filed).app });

  it("shows the last lines, of the file before too", async () => {
    writeFileSync(`${file}.1`, line("zero"));
    writeFileSync(
      file,
      `${line("one")}${line("\u001b[31mtwo\n2026-01-02 -- fine")}not json\n${line("ended", "gateway")}`,
    );
    expect((await logs("a b")).out.split("\n")).toEqual([
      "2026-01-02 03:04:05Z  zero",
      "2026-01-02 03:04:05Z  one",
      "2026-01-02 03:04:05Z  [31mtwo",
      "    2026-01-02 -- fine",
      "2026-01-02 03:04:05Z  -- ended",
      "",
    ]);
    expect((await logs("a b", "-n", "1")).out).toBe("2026-01-02 03:04:05Z  -- ended\n");
    expect(JSON.parse((await logs("a b", "-n", "1", "--json")).out)).toMatchObject({ text: "ended" });
  });

  it("knows which names there are", async () => {
    expect(await logs("filed")).toMatchObject({ code: 0, out: "", err: expect.stringContaining("Nothing is written") });
    expect(await logs("fild")).toMatchObject({ code: 1, err: expect.stringContaining('did you mean "filed"?') });
  });

  it("goes on with what comes, in a new file too", async () => {
    writeFileSync(file, line("old"));
    let stop = () => {};
    const stopped = new Promise<void>((done) => (stop = done));
    let seen = "";
    const stdout = new PassThrough().on("data", (chunk) => (seen += String(chunk)));
    const ended = runLine(["servers", "logs", "a b", "-f", "--data-dir", dataDir], { input: { stopped, stdout } });
    const soon = { timeout: 5_000 };
    await expect.poll(() => seen, soon).toContain("old");
    appendFileSync(file, line("new").slice(0, 10));
    appendFileSync(file, line("new").slice(10));
    await expect.poll(() => seen, soon).toContain("new");
    writeFileSync(file, line("x"));
    await expect.poll(() => seen, soon).toContain("Z  x");
    stop();
    expect((await ended).code).toBe(0);
  });
});
