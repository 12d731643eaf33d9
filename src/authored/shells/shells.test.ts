import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import type { Actor } from "../authored.ts";
import { createTestShells } from "./fixtures/test-shells.ts";
import type { Shells } from "./shells.ts";

const deadlines: Deadline[] = [];
afterEach(() => {
  for (const each of deadlines.splice(0)) each.close();
});

function by(principal: string, limitMs = 10_000): Actor & { told: string[] } {
  const deadline = new Deadline(limitMs);
  deadlines.push(deadline);
  const told: string[] = [];
  return { principal, deadline, told, onProgress: (message) => void told.push(message) };
}

const NONE = { timeoutMs: 5_000, files: [], readFiles: [] };
const bytes = (text: string) => Buffer.from(text, "utf8");

async function start(shells: Shells, principal: string): Promise<string> {
  return (await shells.start({ timeoutMs: 5_000, files: [] }, by(principal))).view.id;
}
const exec = (shells: Shells, id: string, principal: string, ...commands: string[]) =>
  shells.exec({ ...NONE, id, commands, continueOnError: false }, by(principal));
const MINUTE = 60_000;

describe("a shell's owner", () => {
  it("alone sees it, runs in it and ends it", async () => {
    const { shells, engine } = createTestShells();
    const id = await start(shells, "ann");
    expect(id).toMatch(/^mcp-sbx-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(shells.list("bob")).toEqual([]);
    await expect(exec(shells, id, "bob", "echo hi")).rejects.toMatchObject({ code: "SHELL_NOT_FOUND" });
    await expect(shells.runModule({ ...NONE, id, code: "1", dependencies: [] }, by("bob"))).rejects.toMatchObject({
      code: "SHELL_NOT_FOUND",
    });
    await expect(shells.stop(id, "bob")).rejects.toMatchObject({ code: "SHELL_NOT_FOUND" });
    expect(engine.opened[0]).toMatchObject({ commands: [], isStopped: false });
    // The same, by its owner.
    expect(shells.list("ann").map((view) => view.id)).toEqual([id]);
    expect((await exec(shells, id, "ann", "echo hi")).runs).toMatchObject([{ stdout: "hi\n" }]);
    await shells.stop(id, "ann");
    expect(engine.running()).toEqual([]);
    await expect(shells.stop(id, "ann")).rejects.toMatchObject({ code: "SHELL_NOT_FOUND" });
  });
});

describe("the number of shells", () => {
  it("is held for each principal and for all, also when they are asked for at once", async () => {
    const { shells, engine } = createTestShells({ maxPerPrincipal: 2, maxTotal: 3 });
    const asked = await Promise.allSettled(["ann", "ann", "ann", "bob", "bob"].map((who) => start(shells, who)));
    expect(asked.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled", "rejected"]);
    expect(asked[2]).toMatchObject({ reason: { code: "SHELL_LIMIT", data: { limit: 2, of: "principal" } } });
    expect(asked[4]).toMatchObject({ reason: { code: "SHELL_LIMIT", data: { limit: 3, of: "server" } } });
    // Nothing was begun for those that were refused.
    expect(engine.opened).toHaveLength(3);
    await shells.stop(shells.list("ann")[0]?.id ?? "", "ann");
    await start(shells, "bob");
  });

  it("counts what has failed, died or expired no more", async () => {
    const { shells, engine, clock } = createTestShells({ maxPerPrincipal: 1, maxTotal: 1 });
    engine.beforeOpen = () => Promise.reject(new Error("no daemon"));
    await expect(start(shells, "ann")).rejects.toThrow("no daemon");
    engine.beforeOpen = async () => {};
    await start(shells, "ann");
    engine.running()[0]?.die();
    await expect.poll(() => shells.list("ann")).toEqual([]);
    await start(shells, "ann");
    clock.nowMs += MINUTE;
    await start(shells, "ann");
    expect(engine.running()).toHaveLength(1);
  });
});

describe("a start", () => {
  it("that takes too long, fails or comes after the end leaves nothing", async () => {
    const { shells, engine } = createTestShells();
    engine.beforeOpen = () => new Promise((resolve) => setTimeout(resolve, 60));
    await expect(shells.start({ timeoutMs: 20, files: [] }, by("ann"))).rejects.toMatchObject({ code: "TIMEOUT" });
    engine.beforeOpen = async () => {};
    const files = [{ path: "/etc/passwd", bytes: bytes("x") }];
    await expect(shells.start({ timeoutMs: 5_000, files }, by("ann"))).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" }); // prettier-ignore
    expect(engine.running()).toEqual([]);
    expect(shells.list("ann")).toEqual([]);
    await shells.close();
    await expect(start(shells, "ann")).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });

  it("tells how far it has come, and takes files along", async () => {
    const { shells, engine } = createTestShells();
    const ann = by("ann");
    const files = [{ path: "a.txt", bytes: bytes("hi") }];
    const started = await shells.start({ image: "mine:1", timeoutMs: 5_000, files }, ann);
    expect(started).toMatchObject({ view: { image: "mine:1" }, idleMs: MINUTE, folder: "/workspace" });
    expect(ann.told).toEqual(["fetching the image mine:1"]);
    expect([...(engine.opened[0]?.files.keys() ?? [])]).toEqual(["a.txt"]);
  });
});

describe("the end of a shell", () => {
  it("comes when nobody used it for long, to the millisecond, and a use moves it", async () => {
    const { shells, engine, clock } = createTestShells();
    const id = await start(shells, "ann");
    const startedAt = clock.nowMs;
    expect(shells.list("ann")).toMatchObject([{ expiresAt: new Date(startedAt + MINUTE).toISOString() }]);
    clock.nowMs += MINUTE - 1;
    await exec(shells, id, "ann", "echo hi");
    clock.nowMs += MINUTE - 1;
    expect(shells.list("ann")).toMatchObject([{ lastUsedAt: new Date(startedAt + MINUTE - 1).toISOString() }]);
    clock.nowMs += 1;
    await expect(exec(shells, id, "ann", "echo hi")).rejects.toMatchObject({ code: "SHELL_NOT_FOUND" });
    expect(engine.running()).toEqual([]);
  });

  it("does not come while a command runs, but at its greatest age even then", async () => {
    const { shells, engine, clock } = createTestShells({ idleMs: MINUTE, maxAgeMs: 3 * MINUTE });
    const id = await start(shells, "ann");
    const running = exec(shells, id, "ann", "wait");
    await expect.poll(() => engine.opened[0]?.commands).toEqual(["wait"]);
    clock.nowMs += 2 * MINUTE;
    expect(shells.list("ann")).toHaveLength(1);
    expect(engine.running()).toHaveLength(1);
    engine.goOn();
    await running;
    // Idle from the end of the command on.
    expect(shells.list("ann")).toHaveLength(1);
    clock.nowMs += MINUTE - 1;
    const second = exec(shells, id, "ann", "wait");
    await expect.poll(() => engine.opened[0]?.commands).toHaveLength(2);
    clock.nowMs += 1;
    expect(shells.list("ann")).toEqual([]);
    expect(engine.running()).toEqual([]);
    engine.goOn();
    await second;
  });

  it("comes by itself in time", async () => {
    const { shells, engine, clock } = createTestShells({ idleMs: 1 });
    await start(shells, "ann");
    clock.nowMs += 1;
    await expect.poll(() => engine.running()).toEqual([]);
  });

  it("takes it off the list at once when it dies", async () => {
    const { shells, engine } = createTestShells();
    await start(shells, "ann");
    engine.opened[0]?.die();
    await expect.poll(() => shells.list("ann")).toEqual([]);
  });

  it("comes for all with ours", async () => {
    const { shells, engine } = createTestShells();
    await start(shells, "ann");
    await start(shells, "bob");
    await shells.close();
    await shells.close();
    expect(engine.running()).toEqual([]);
    expect([...shells.list("ann"), ...shells.list("bob")]).toEqual([]);
  });
});

describe("packages", () => {
  it("are found once for a shell, and held only while a module runs", async () => {
    const { shells, engine, resolved, leased } = createTestShells();
    const id = await start(shells, "ann");
    const ann = by("ann");
    const run = (version: string) =>
      shells.runModule({ ...NONE, id, code: "1", dependencies: [{ name: "zod", version }] }, ann);
    engine.duringModule = async () => expect(leased).toEqual(["zod@^4"]);
    expect((await run("^4")).runs).toMatchObject([{ stdout: "ran 1 with zod@^4\n" }]);
    expect(leased).toEqual([]);
    engine.duringModule = async () => expect(leased).toEqual(["zod@^4"]);
    await run("^4");
    expect(resolved).toEqual(["zod@^4"]);
    engine.duringModule = () => Promise.reject(new Error("it broke"));
    await expect(run("^4")).rejects.toThrow("it broke");
    expect(leased).toEqual([]);
    engine.duringModule = async () => {};
    for (let n = 0; n < 16; n++) await run(`1.0.${n}`);
    expect(resolved).toHaveLength(17);
    await run("1.0.0");
    expect(resolved).toHaveLength(17);
    await run("^4"); // only so many lists are remembered
    expect(resolved).toHaveLength(18);
  });
});

describe("commands", () => {
  it("stop at the first that fails, and what the others printed stays", async () => {
    const { shells } = createTestShells();
    const id = await start(shells, "ann");
    const run = await exec(shells, id, "ann", "echo one", "fail 3", "echo two");
    expect(run).toMatchObject({
      runs: [
        { command: "echo one", exitCode: 0, stdout: "one\n" },
        { command: "fail 3", exitCode: 3, stdout: "before\n", stderr: "went wrong\n" },
      ],
      notRun: 1,
      isShellLost: false,
    });
    const all = await shells.exec({ ...NONE, id, commands: ["fail 3", "echo two"], continueOnError: true }, by("ann"));
    expect(all.runs.map(({ exitCode }) => exitCode)).toEqual([3, 0]);
  });

  it("share one time limit and one limit of output", async () => {
    const { shells } = createTestShells({ maxOutputBytes: 6 });
    const id = await start(shells, "ann");
    const { runs } = await exec(shells, id, "ann", "echo 123", "echo 456", "echo 789");
    expect(runs.map(({ stdout, droppedBytes }) => [stdout, droppedBytes])).toEqual([["123\n", 0], ["45", 2], ["", 4]]); // prettier-ignore
    const request = { ...NONE, id, timeoutMs: 50, commands: ["hang", "echo hi"], continueOnError: true };
    expect(await shells.exec(request, by("ann"))).toMatchObject({ runs: [{ stopped: "timeout" }], notRun: 1 });
    const tooLong = { ...NONE, id, timeoutMs: 120_001, commands: ["echo hi"], continueOnError: false };
    await expect(shells.exec(tooLong, by("ann"))).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
    await shells.exec({ ...tooLong, timeoutMs: 120_000 }, by("ann"));
  });

  it("of two calls on one shell wait for each other; one that gives up keeps nobody waiting", async () => {
    const { shells, engine } = createTestShells();
    const id = await start(shells, "ann");
    const first = exec(shells, id, "ann", "wait");
    const impatient = by("ann");
    const second = shells.exec({ ...NONE, id, commands: ["echo 2"], continueOnError: false }, impatient);
    const third = exec(shells, id, "ann", "echo 3");
    await expect.poll(() => engine.opened[0]?.commands).toEqual(["wait"]);
    impatient.deadline.end("client");
    await expect(second).rejects.toMatchObject({ code: "CANCELLED" });
    expect(engine.opened[0]?.commands).toEqual(["wait"]);
    engine.goOn();
    await Promise.all([first, third]);
    expect(engine.opened[0]?.commands).toEqual(["wait", "echo 3"]);
  });

  it("keep what they printed when the shell is lost", async () => {
    const { shells } = createTestShells();
    const id = await start(shells, "ann");
    const run = await exec(shells, id, "ann", "echo one", "die", "echo two");
    expect(run).toMatchObject({ runs: [{ stdout: "one\n" }, { isShellLost: true }], notRun: 1, isShellLost: true });
    await expect.poll(() => shells.list("ann")).toEqual([]);
  });

  it("take files and give files, each with its own trouble", async () => {
    const { shells } = createTestShells({ maxOutputBytes: 10 });
    const id = await start(shells, "ann");
    const files = ["12345", "67890", "x"].map((text, n) => ({ path: `${n}`, bytes: bytes(text) }));
    const request = { ...NONE, id, commands: ["fail 1"], continueOnError: false, files };
    const run = await shells.exec({ ...request, readFiles: ["0", "none", "1", "2"] }, by("ann"));
    expect(run.files).toEqual([
      { path: "0", bytes: bytes("12345") },
      { path: "none", problem: expect.stringContaining("no such file") as string },
      { path: "1", bytes: bytes("67890") },
      { path: "2", problem: expect.stringContaining("too large") as string },
    ]);
    const refused = { ...request, files: [{ path: "/etc/x", bytes: bytes("") }] };
    await expect(shells.exec(refused, by("ann"))).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
  });
});
