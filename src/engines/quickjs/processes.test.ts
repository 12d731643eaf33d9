import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { availableParallelism } from "node:os";
import { Deadline } from "../../core/deadline.ts";
import { type Logger, SILENT } from "../../core/source.ts";
import type { ExecutionEngine, JobEnd } from "../engine.ts";
import { childCommand } from "./command.ts";
import { jobOf } from "./fixtures/jobs.ts";
import { createQuickjsEngine, type QuickjsEngineOptions } from "./quickjs-engine.ts";

const open: ExecutionEngine[] = [];
function engineWith(options: QuickjsEngineOptions = {}): ExecutionEngine {
  const engine = createQuickjsEngine(options);
  open.push(engine);
  return engine;
}
afterEach(() => Promise.all(open.splice(0).map((engine) => engine.close())));

async function run(engine: ExecutionEngine, js: string, timeoutMs = 5_000): Promise<JobEnd> {
  const deadline = new Deadline(timeoutMs);
  try {
    return await engine.run(...jobOf(js), deadline);
  } finally {
    deadline.close();
  }
}

function notingStarts(): { log: Logger; started: number[] } {
  const started: number[] = [];
  return { started, log: { ...SILENT, debug: (facts) => void started.push((facts as { pid: number }).pid) } };
}

/** A probe is a job: there is at least one process afterwards. */
async function pids(engine: ExecutionEngine): Promise<number[]> {
  const { detail } = await engine.probe();
  const processes = (detail?.["processes"] ?? []) as { pid: number }[];
  return processes.map(({ pid }) => pid);
}

/** A process that has ended and that nobody has asked about yet (a zombie) is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
}

async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) expect.fail(`${what} did not happen within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("the processes of the quickjs engine", () => {
  it("are not there before the first job", async () => {
    let started = 0;
    const engine = engineWith({ command: () => (started++, childCommand()) });
    expect(started).toBe(0);
    await run(engine, "return 1");
    expect(started).toBe(1);
  });

  it("are one for jobs that come one after the other", async () => {
    const engine = engineWith();
    const [first] = await pids(engine);
    for (let i = 0; i < 5; i++) await run(engine, "return 1");
    expect(await pids(engine)).toEqual([first]);
  });

  it("are let go when idle, the last one later", async () => {
    const { log, started } = notingStarts();
    const engine = engineWith({ idleMs: 20, lastIdleMs: 60, log });
    // The first one waits, and so leaves room for a second.
    await Promise.all([run(engine, "await new Promise((r) => setTimeout(r, 300))"), run(engine, "return 1")]);
    await run(engine, "return 1");
    expect(started.length).toBeGreaterThanOrEqual(2);
    await until("letting them go", () => !started.some(isAlive));
    expect(await run(engine, "return 1")).toMatchObject({ state: "done" });
  });

  it("are replaced after so many jobs", async () => {
    const engine = engineWith({ recycleAfterJobs: 3 });
    const [first] = await pids(engine);
    await run(engine, "return 1");
    await run(engine, "return 1");
    expect(await pids(engine)).not.toContain(first);
  });

  it("are replaced when they hold too much memory", async () => {
    const engine = engineWith({ recycleAboveMiB: 1 });
    const [first] = await pids(engine);
    await run(engine, "return 1");
    expect(await pids(engine)).not.toContain(first);
  });

  it("may be killed by somebody: the job says so, the next one is fine", async () => {
    const engine = engineWith({ maxProcesses: 1 });
    const [pid = 0] = await pids(engine);
    const running = run(engine, "for (;;);");
    process.kill(pid, "SIGKILL");
    expect(await running).toMatchObject({ state: "failed", code: "ENGINE_CRASHED" });
    expect(await run(engine, "return 2")).toMatchObject({ state: "done", resultJson: "2" });
  });

  it("that cannot be started are ENGINE_UNAVAILABLE for each job that asks; only the log has the reason", async () => {
    const logged: unknown[] = [];
    const log = { ...SILENT, warn: (facts: unknown) => void logged.push(facts) };
    const command = () => ({ ...childCommand(), args: ["-e", "console.error('no room here'); process.exit(1)"] });
    const engine = engineWith({ command, log });
    const tries = await Promise.allSettled([run(engine, "return 1"), run(engine, "return 1"), run(engine, "return 1")]);
    for (const each of tries) {
      expect(each).toMatchObject({ status: "rejected", reason: { code: "ENGINE_UNAVAILABLE" } });
    }
    const problem = expect.stringMatching(/^(?!.*no room here).*did not start/) as string;
    expect(await engine.probe()).toMatchObject({ isAvailable: false, problem });
    expect(JSON.stringify(logged)).toContain("no room here");
  });

  it("whose interpreter breaks down are replaced; only the log has the interpreter's words", async () => {
    const logged: unknown[] = [];
    const log = { ...SILENT, warn: (facts: unknown) => void logged.push(facts) };
    const file = fileURLToPath(new URL("fixtures/broken-child.ts", import.meta.url));
    const engine = engineWith({ log, command: () => ({ ...childCommand(), args: [file] }) });
    const end = await run(engine, "return 1");
    expect(end).toMatchObject({ state: "failed", code: "ENGINE_CRASHED" });
    expect(end).toMatchObject({ message: expect.stringMatching(/^the sandbox ended without an answer/) as string });
    expect(JSON.stringify(end)).not.toContain("RuntimeError");
    expect(JSON.stringify(logged)).toContain("RuntimeError: unreachable");
  });

  it("whose program is not there for a moment take no later job's place", async () => {
    let isThere = false;
    const command = () => {
      if (isThere) return childCommand();
      throw new Error("ENOENT: no such file");
    };
    const engine = engineWith({ maxProcesses: 1, command });
    for (let tries = 0; tries < 3; tries++) {
      await expect(run(engine, "return 1")).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    }
    isThere = true;
    expect(await run(engine, "return 2")).toMatchObject({ state: "done", resultJson: "2" });
    expect(await run(engine, "return 3")).toMatchObject({ state: "done", resultJson: "3" });
  });

  it("are gone when the engine is closed, also those that compute", async () => {
    const { log, started } = notingStarts();
    const engine = engineWith({ maxProcesses: 2, log });
    const all = [run(engine, "for (;;);"), run(engine, "for (;;) await null")];
    const wanted = Math.min(2, availableParallelism());
    await until("their start", () => started.length === wanted);
    await engine.close();
    await Promise.all(all);
    expect(started.filter(isAlive)).toEqual([]);
  });

  it("are gone after kill -9 of the server, also those that compute [engine-no-orphan]", async () => {
    const file = fileURLToPath(new URL("fixtures/parent.ts", import.meta.url));
    const parent = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], { stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const children = JSON.parse(line.toString()) as number[];
    expect(children.length).toBeGreaterThanOrEqual(2);
    expect(children.every(isAlive)).toBe(true);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await until("their end", () => !children.some(isAlive), 2_000);
  });

  it("see no environment, no file but their own, and cannot start a process [engine-no-way-out]", async () => {
    const { args, env } = childCommand();
    expect(env).toEqual({ TZ: "UTC" });
    expect(args.filter((arg) => arg.startsWith("--allow"))).toEqual([`--allow-fs-read=${args.at(-1)}`]);
    // The lock itself, tried from inside on another program with the same flags.
    const attempt =
      "const r = {}; for (const [k, f] of Object.entries({ read: () => require('fs').readFileSync('/etc/passwd'), " +
      "write: () => require('fs').writeFileSync('/tmp/x', ''), spawn: () => require('child_process').execSync('id'), " +
      "worker: () => new (require('worker_threads').Worker)('1', { eval: true }) })) " +
      "{ try { f(); r[k] = 'allowed' } catch (e) { r[k] = e.code } } console.log(JSON.stringify(r))";
    const tryWith = async (flags: string[]) => {
      const child = spawn(process.execPath, [...flags, "-e", attempt], { env, stdio: ["ignore", "pipe", "ignore"] });
      const [out] = (await once(child.stdout, "data")) as [Buffer];
      await once(child, "close");
      return JSON.parse(out.toString()) as Record<string, string>;
    };
    const denied = "ERR_ACCESS_DENIED";
    expect(await tryWith(args.slice(0, -1))).toEqual({ read: denied, write: denied, spawn: denied, worker: denied });
    expect(await tryWith([])).toMatchObject({ read: "allowed", spawn: "allowed", worker: "allowed" });
  });
});
