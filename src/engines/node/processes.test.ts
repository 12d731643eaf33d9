import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { findCgroupBases } from "../../machine/cgroup-bases.ts";
import { openControlGroups } from "../../machine/cgroup.ts";
import { type ExecutionEngine, type JobEnd, NO_ACCESS } from "../engine.ts";
import { done, failed, runBody } from "../fixtures/run-body.ts";
import { jailIsHere } from "./fixtures/jail-is-here.ts";
import { childrenOf, isStillThere, processesBelow } from "./fixtures/processes.ts";
import { createNodeEngine, type NodeEngineOptions } from "./node-engine.ts";

const open: ExecutionEngine[] = [];
function engineWith(options: NodeEngineOptions = {}): ExecutionEngine {
  const engine = createNodeEngine(options);
  open.push(engine);
  return engine;
}
afterEach(() => Promise.all(open.splice(0).map((engine) => engine.close())));

const hasJail = await jailIsHere();
const isLinux = process.platform === "linux";
/** Control groups of a server. */
function groupsOf(pid: number): string[] {
  const bases = [...new Set(findCgroupBases()?.folders.values())];
  return bases.flatMap((base) => readdirSync(base).filter((name) => name.startsWith(`dynamic-mcp-${pid}-`)));
}

describe.skipIf(!hasJail)("the processes of the node engine", () => {
  it("are not there before the first job, and gone after close", async () => {
    const engine = engineWith();
    const before = processesBelow(process.pid).size;
    done(await runBody(engine, "return 1"));
    await expect
      .poll(() => childrenOf(process.pid).filter((command) => command.includes("node-runner")).length)
      .toBeGreaterThan(1);
    const there = processesBelow(process.pid);
    expect(there.size).toBeGreaterThan(before);
    await engine.close();
    expect(
      [...there].filter(([pid, command]) => command.includes("node-runner") && isStillThere(pid, command)),
    ).toEqual([]);
  });

  it("are new for each job", async () => {
    const engine = engineWith();
    const code =
      "globalThis.count = (globalThis.count ?? 0) + 1; return [count, require('fs').readdirSync('/tmp').length]";
    for (let i = 0; i < 4; i++) expect(done(await runBody(engine, code)).resultJson).toBe("[1,0]");
  });

  it("are never more than the limit for a hundred calls at once [engine-live-bound]", async () => {
    const engine = engineWith({ maxLive: 5, maxRunning: 50 });
    let most = 0;
    const look = setInterval(() => {
      const jails = childrenOf(process.pid).filter((command) => command.includes("node-runner"));
      most = Math.max(most, jails.length);
    }, 10);
    try {
      const all = Array.from({ length: 100 }, (_, n) =>
        runBody(engine, "return args.n", { args: { n }, timeoutMs: 60_000 }),
      );
      const results = await Promise.all(all);
      expect(results.map((end) => done(end).resultJson)).toEqual(Array.from({ length: 100 }, (_, n) => String(n)));
    } finally {
      clearInterval(look);
    }
    expect(most).toBeLessThanOrEqual(5);
    expect(most).toBeGreaterThan(1);
  }, 60_000);

  it("may be killed by somebody: the job says so, the next one is fine", async () => {
    // No ready ones beside it: killed as well, they would be taken for what they are only a moment later.
    const engine = engineWith({ idlePerKey: 0 });
    const running = await runBodyUntilItCalls(engine, "await new Promise((r) => setTimeout(r, 20_000))");
    for (const [pid, command] of processesBelow(process.pid)) {
      if (command.startsWith("/usr/bin/node ")) process.kill(pid, "SIGKILL");
    }
    expect(failed(await running.end).code).toBe("PROCESS_EXITED");
    expect(done(await runBody(engine, "return 2")).resultJson).toBe("2");
  });

  it("cannot fill our memory with answers that they do not read", async () => {
    const engine = engineWith({ idlePerKey: 0 });
    const raw = `
      const cell = new Int32Array(new SharedArrayBuffer(4));
      for (let step = 0; step < 300; step++) {
        const head = Buffer.from(JSON.stringify({ method: "tools.call", step }));
        const start = Buffer.from([0, 0, 0, 5 + head.length + 2, 5, 0, 0, 0, head.length]);
        require("node:fs").writeSync(3, Buffer.concat([start, head, Buffer.from("{}")]));
        Atomics.wait(cell, 0, 0, 5); // never back to who would read
      }
      for (;;);`;
    const answer = "x".repeat(2_000_000);
    const host = { call: async () => answer };
    const may = { ...NO_ACCESS, callTools: true };
    const limits = { hostCalls: { open: 1_000, total: 1_000 } };
    const end = failed(await runBody(engine, raw, { host, may, limits, timeoutMs: 10_000 }));
    // Without the guard all 600 MB would be kept for it until its time is up.
    expect(end).toMatchObject({ code: "TOO_LARGE", message: expect.stringContaining("answers") as string });
  });

  it("are held to the job's memory, by a group or by the watch", async () => {
    const bomb = "const a = []; for (;;) a.push(Buffer.alloc(4e6, 1))";
    for (const usesControlGroups of [true, false]) {
      const engine = engineWith({ usesControlGroups });
      const end = failed(await runBody(engine, bomb, { timeoutMs: 10_000 }));
      expect(end).toMatchObject({ code: "OUT_OF_MEMORY", message: "stopped at the memory limit of 64 MiB" });
      const roomy = done(await runBody(engine, "return Buffer.alloc(50e6, 1).length", { timeoutMs: 10_000 }));
      expect(roomy.resultJson).toBe("50000000");
    }
  });

  it("say how they are held", async () => {
    const { level, detail } = await engineWith({ usesControlGroups: false }).probe();
    expect(level).toContain("namespaces");
    expect(detail).toMatchObject({
      jail: expect.stringMatching(/^bubblewrap/) as string,
      memory: expect.stringMatching(/25 ms/) as string,
    });
  });

  it.each([
    ["while 3 calls run", 3],
    ["while 20 calls run", 20],
  ])(
    "are gone after kill -9 of the server %s, and so are their groups at the next start [engine-no-orphan]",
    async (_, count) => {
      const { pid, left } = await killServer("jail", count);
      expect(left).toEqual([]);
      const groups = await openControlGroups();
      if (!("problem" in groups)) expect(groupsOf(pid)).toEqual([]);
    },
    60_000,
  );
});

describe.skipIf(!isLinux || !existsSync("/usr/bin/setpriv"))("the processes of the node engine without a jail", () => {
  it("are gone after kill -9 of the server, also those that compute [engine-no-orphan]", async () => {
    expect((await killServer("no-jail", 3)).left).toEqual([]);
  }, 30_000);
});

/** Runs a body, and waits until it has begun. */
async function runBodyUntilItCalls(engine: ExecutionEngine, code: string): Promise<{ end: Promise<JobEnd> }> {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const call = async () => (begin(), 1);
  const may = { ...NO_ACCESS, callTools: true };
  const end = runBody(engine, `await tools.call("begun"); ${code}`, { host: { call }, may, timeoutMs: 20_000 });
  await begun;
  return { end };
}

/** Starts a server with so many calls and kills it. @returns what is still there after some seconds */
async function killServer(how: "jail" | "no-jail", count: number): Promise<{ pid: number; left: string[] }> {
  const file = fileURLToPath(new URL("fixtures/parent.ts", import.meta.url));
  const parent = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, how, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(parent.stdout, "data");
  const { pid: serverPid = 0 } = parent;
  const there = [...processesBelow(serverPid)];
  expect(there.filter(([, command]) => command.includes("node-runner")).length).toBeGreaterThanOrEqual(count);
  parent.kill("SIGKILL");
  await once(parent, "exit");
  const left = () => there.filter(([pid, command]) => isStillThere(pid, command)).map(([, command]) => command);
  await expect.poll(left, { timeout: 5_000 }).toEqual([]);
  return { pid: serverPid, left: left() };
}
