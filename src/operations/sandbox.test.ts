import { afterEach, describe, expect, it } from "vitest";
import { createTestShells, noShells } from "../authored/shells/fixtures/test-shells.ts";
import type { Principal } from "../core/caller.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { line, textOf } from "./fixtures/line.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function world(options: { adminToken?: string; settings?: Parameters<typeof createTestShells>[0] } = {}) {
  const test = createTestShells(options.settings);
  closers.push(() => test.shells.close());
  const { adminToken } = options;
  const made = await line({ profiles: ["enterprise"], shells: test.shells, ...(adminToken !== undefined && { adminToken }) }); // prettier-ignore
  const names = () => made.listed().map(({ name }) => name).filter((name) => name.startsWith("sandbox")); // prettier-ignore
  async function start(args: JsonObject = {}): Promise<string> {
    const { structuredContent } = await made.call("sandbox.initialize", args);
    return isJsonObject(structuredContent) ? String(structuredContent["sessionId"]) : "";
  }
  return { ...test, ...made, names, start };
}

const other: Principal = { id: "bob", kind: "user", isAdmin: false };
const ALL = ["sandbox_exec", "sandbox_initialize", "sandbox_run_js", "sandbox_session_list", "sandbox_stop"];

describe("the older system's shells", () => {
  it("take their parameters unchanged and answer in their form [shells-older]", async () => {
    const { call, progress } = await world();
    const adminToken = "whatever";
    const started = await call("sandbox.initialize", { adminToken, image: "node:lts-slim", timeoutMs: 1_000 });
    expect(started.structuredContent).toMatchObject({
      sessionId: expect.stringMatching(/^mcp-sbx-[0-9a-f-]{36}$/) as string,
      image: "node:lts-slim",
      timeoutMs: 60_000,
      workingFolder: "/workspace",
      expiresAt: "2026-01-01T00:01:00.000Z",
    });
    expect(progress).toEqual(["fetching the image node:lts-slim"]);
    const { sessionId } = started.structuredContent as { sessionId: string };
    const ran = await call("sandbox.exec", { adminToken, sessionId, commands: ["echo hi", "echo ho"], timeoutMs: 120_000 }); // prettier-ignore
    expect(textOf(ran)).toBe("$ echo hi\nhi\n$ echo ho\nho");
    const module_ = { adminToken, sessionId, code: "42", dependencies: [{ name: "zod", version: "latest" }], timeoutMs: 120_000 }; // prettier-ignore
    expect(textOf(await call("sandbox.run_js", module_))).toBe("ran 42 with zod@latest");
    expect((await call("sandbox.session.list", { adminToken })).structuredContent).toMatchObject({
      sessions: [{ id: sessionId, image: "node:lts-slim", createdAt: "2026-01-01T00:00:00.000Z" }],
    });
    expect(textOf(await call("sandbox.stop", { adminToken, sessionId }))).toContain(sessionId);
    expect((await call("sandbox_session_list")).structuredContent).toEqual({ sessions: [] });
  });

  it("are only for those who may author", async () => {
    const { call } = await world({ adminToken: "s3cret" });
    await expect(call("sandbox.initialize", {})).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect((await call("sandbox.initialize", { adminToken: "s3cret" })).isError).toBeUndefined();
  });

  it.each<[string, string, JsonObject]>([
    ["a start that is too short", "sandbox_initialize", { timeoutMs: 999 }],
    ["a start that is too long", "sandbox_initialize", { timeoutMs: 120_001 }],
    ["no command", "sandbox_exec", { sessionId: "x", commands: [] }],
    ["21 commands", "sandbox_exec", { sessionId: "x", commands: Array.from({ length: 21 }, () => "true") }],
    ["an empty command", "sandbox_exec", { sessionId: "x", commands: [""] }],
    ["a command with a zero", "sandbox_exec", { sessionId: "x", commands: ["a\0b"] }],
    ["code that is too long", "sandbox_run_js", { sessionId: "x", code: "x".repeat(200_001) }],
    ["a file without content", "sandbox_exec", { sessionId: "x", commands: ["true"], files: [{ path: "a" }] }],
    ["a file with two", "sandbox_exec", { sessionId: "x", commands: ["true"], files: [{ path: "a", text: "", base64: "" }] }],
    ["content that is no base64", "sandbox_exec", { sessionId: "x", commands: ["true"], files: [{ path: "a", base64: "?" }] }],
  ])("refuse %s", async (_what, name, args) => {
    const { call, engine } = await world();
    expect(await call(name, args)).toMatchObject({ isError: true, _meta: { "dynamic-mcp/error": { code: "INVALID_ARGUMENTS" } } });
    expect(engine.opened).toEqual([]);
  }); // prettier-ignore
});

describe("a failing command", () => {
  it("is a failure that a model reads, with all that was printed", async () => {
    const { call, start } = await world();
    const result = await call("sandbox_exec", {
      sessionId: await start(),
      commands: ["echo one", "fail 3", "echo two"],
    });
    expect(result).toMatchObject({
      isError: true,
      _meta: { "dynamic-mcp/error": { code: "PROCESS_EXITED", data: { failed: 1, exitCode: 3 } } },
      structuredContent: { failed: 1, cwd: "/workspace", results: [{ stdout: "one\n" }, { exitCode: 3, stderr: "went wrong\n" }] },
    }); // prettier-ignore
    expect(textOf(result)).toBe(
      "$ echo one\none\n$ fail 3\nbefore\nwent wrong\n[exit code 3]\n[one more command was not run]",
    );
  });

  it("says when it was stopped, and what was dropped", async () => {
    const { call, start } = await world({ settings: { maxOutputBytes: 4 } });
    const sessionId = await start();
    const stopped = await call("sandbox_exec", { sessionId, commands: ["echo 12345", "hang"], timeoutMs: 100 });
    expect(stopped).toMatchObject({
      isError: true,
      _meta: { "dynamic-mcp/error": { code: "TIMEOUT" } },
      structuredContent: { results: [{ stdout: "1234", droppedBytes: 2 }, { stopped: "timeout" }] },
    });
    expect(textOf(stopped)).toMatch(/\[2 more bytes of output were dropped\]\n\$ hang\n\[stopped at the time limit of 100 ms/); // prettier-ignore
  });
});

describe("files", () => {
  it("go in and come back as text or base64", async () => {
    const { call, start } = await world();
    const sessionId = await start({ files: [{ path: "a.txt", text: "hé" }] });
    const files = [{ path: "b.bin", base64: "AAH/" }];
    const ran = await call("sandbox_exec", {
      sessionId,
      commands: ["true"],
      files,
      readFiles: ["a.txt", "b.bin", "no"],
    });
    expect(ran.structuredContent).toMatchObject({
      files: [
        { path: "a.txt", text: "hé", size: 3 },
        { path: "b.bin", base64: "AAH/", size: 3 },
        { path: "no", problem: expect.stringContaining("no such file") as string },
      ],
    });
  });
});

describe("somebody else's shell", () => {
  it.each<[string, JsonObject]>([
    ["sandbox_exec", { commands: ["echo hi"] }],
    ["sandbox_run_js", { code: "1" }],
    ["sandbox_stop", {}],
  ])("does not exist for %s [shells-owned]", async (name, args) => {
    const { call, start, engine } = await world();
    const sessionId = await start();
    expect(await call(name, { sessionId, ...args }, { principal: other })).toMatchObject({ isError: true, _meta: { "dynamic-mcp/error": { code: "SHELL_NOT_FOUND" } } });
    expect((await call("sandbox_session_list", {}, { principal: other })).structuredContent).toEqual({ sessions: [] });
    expect(engine.running()).toHaveLength(1);
    expect((await call(name, { sessionId, ...args })).isError).toBeUndefined();
  }); // prettier-ignore
});

describe("the list", () => {
  it("has shells only where they can be had, and says so when that changes; they can be called all the same", async () => {
    const { names, engine, surface, call } = await world();
    expect(names()).toEqual(ALL);
    const changes: string[] = [];
    const end = surface.onChange((kinds) => void changes.push(...kinds));
    engine.setAvailable(false);
    await expect.poll(() => changes).toEqual(["tool"]);
    expect(names()).toEqual([]);
    expect((await call("sandbox_initialize")).isError).toBeUndefined();
    engine.setAvailable(true);
    expect(names()).toEqual(ALL);
    end();
  });

  it("has none in a profile without them", async () => {
    const { shells } = createTestShells();
    const { listed } = await line({ profiles: ["mvp"], shells });
    expect(listed().filter(({ name }) => name.startsWith("sandbox"))).toEqual([]);
    const absent = await line({ profiles: ["full"], shells: noShells() });
    expect(absent.listed().filter(({ name }) => name.startsWith("sandbox"))).toEqual([]);
  });
});
