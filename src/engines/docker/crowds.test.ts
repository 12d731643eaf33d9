import { afterAll, describe, expect, it } from "vitest";
import { done, failed, runBody } from "../fixtures/run-body.ts";
import { createDockerBase } from "./docker-base.ts";
import { createDockerEngine, type DockerEngineOptions } from "./docker-engine.ts";
import { docker } from "./fixtures/open-engine.ts";
import { LABEL } from "./marks.ts";

describe.skipIf(!docker)("the docker engine under load", () => {
  afterAll(() => docker?.client.close());

  async function open(options: DockerEngineOptions) {
    const base = createDockerBase({ defaultImage: docker?.images.node ?? "" });
    const engine = createDockerEngine(base, options);
    const containers = async (kind?: string) => {
      const labels = [`${LABEL.instance}=${base.marks.instance}`, ...(kind ? [`${LABEL.kind}=${kind}`] : [])];
      return (await docker?.client.containers.list(labels)) ?? [];
    };
    return {
      base,
      engine,
      containers,
      async [Symbol.asyncDispose]() {
        await engine.close();
        await base.close();
        expect(await containers()).toEqual([]);
      },
    };
  }

  const WHO = "return [require('os').hostname(), process.pid, process.ppid]";

  it("never has more containers than allowed, however many call at once [docker-bounded]", async () => {
    await using it = await open({ maxContainers: 3, warm: 1, maxWaitMs: 60_000 });
    let most = 0;
    let isOver = false;
    const watching = (async () => {
      while (!isOver) most = Math.max(most, (await it.containers()).filter(({ state }) => state === "running").length);
    })();
    const all = Array.from({ length: 30 }, (_, n) =>
      runBody(it.engine, "return args.n", { args: { n }, scope: `s${n}`, timeoutMs: 60_000 }),
    );
    for (const [n, end] of (await Promise.all(all)).entries()) expect(done(end).resultJson).toBe(String(n));
    isOver = true;
    await watching;
    expect(most).toBeLessThanOrEqual(3);
  }, 60_000);

  it("gives many calls of one tool by one principal a container, with a fresh process for each", async () => {
    await using it = await open({ maxContainers: 8, warm: 1, crowdIdleMs: 2_000 });
    const call = async () => JSON.parse(done(await runBody(it.engine, WHO, { timeoutMs: 30_000 })).resultJson) as [string, number, number]; // prettier-ignore
    await Promise.all(Array.from({ length: 6 }, call));
    await expect.poll(async () => (await it.containers("supervisor")).length, { timeout: 10_000 }).toBe(1);
    const [crowd] = await it.containers("supervisor");
    let seen: [string, number, number][] = [];
    await expect
      .poll(
        async () =>
          (seen = [...seen, ...(await Promise.all([call(), call(), call()]))]).length > 0 &&
          seen.some(([host]) => crowd?.id.startsWith(host)),
        { timeout: 10_000 },
      ) // prettier-ignore
      .toBe(true);
    const inside = [...seen, await call(), await call()].filter(([host]) => crowd?.id.startsWith(host));
    expect(new Set(inside.map(([, pid]) => pid)).size).toBe(inside.length);
    expect(inside.every(([, , parent]) => parent === 1)).toBe(true);
    // Nobody calls any more: it goes.
    await expect.poll(async () => (await it.containers("supervisor")).length, { timeout: 10_000 }).toBe(0);
  }, 60_000);

  it("lets jobs of two principals, or of two tools, never meet", async () => {
    await using it = await open({ maxContainers: 12, warm: 1 });
    const hosts = new Map<string, Set<string>>();
    const call = async (tool: number, scope: string) => {
      const end = await runBody(it.engine, `/* ${tool} */ ${WHO}`, { scope, timeoutMs: 30_000 });
      const [host] = JSON.parse(done(end).resultJson) as [string];
      const key = `${tool} ${scope}`;
      hosts.set(key, (hosts.get(key) ?? new Set()).add(host));
    };
    const burst = () =>
      Promise.all(["a", "b"].flatMap((scope) => [1, 2].flatMap((tool) => [1, 2, 3].map(() => call(tool, scope)))));
    await burst();
    await expect.poll(async () => (await it.containers("supervisor")).length, { timeout: 10_000 }).toBeGreaterThan(1);
    for (let i = 0; i < 4; i++) await burst();
    const all = [...hosts.values()].flatMap((each) => [...each]);
    expect(new Set(all).size).toBe(all.length);
  }, 60_000);

  it("holds each process of a crowd to its limits, and shows nothing of one call to the next", async () => {
    await using it = await open({ maxContainers: 8, warm: 0 });
    const body = `
      const fs = require("fs"), place = require("os").tmpdir();
      const seen = [typeof globalThis.left, fs.readdirSync(place).length];
      globalThis.left = 1; fs.writeFileSync(place + "/left", "1");
      if (args.how === "loop") for (;;);
      if (args.how === "memory") { const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1)); }
      if (args.how === "exit") process.reallyExit(3);
      if (args.how === "others") for (let pid = 1; pid < 1_000; pid++) try { if (pid !== process.pid) process.kill(pid, "SIGTERM"); } catch {}
      return [...seen, require("os").hostname()];`;
    const call = (how: string, timeoutMs = 30_000) => runBody(it.engine, body, { args: { how }, timeoutMs });
    await Promise.all(Array.from({ length: 6 }, () => call("")));
    await expect.poll(async () => (await it.containers("supervisor")).length, { timeout: 10_000 }).toBe(1);
    const [crowd] = await it.containers("supervisor");
    const inside = async () => {
      const [left, files, host] = JSON.parse(done(await call("")).resultJson) as [string, number, string];
      expect([left, files]).toEqual(["undefined", 0]);
      return crowd?.id.startsWith(host);
    };
    await expect.poll(inside, { timeout: 10_000 }).toBe(true);
    expect(failed(await call("loop", 300)).code).toBe("TIMEOUT");
    expect(failed(await call("memory")).code).toBe("OUT_OF_MEMORY");
    expect(failed(await call("exit")).code).toBe("PROCESS_EXITED");
    // It can end those beside it, which are of its own tool and principal; not the container, and not for long.
    await call("others");
    await expect.poll(inside, { timeout: 10_000 }).toBe(true);
    expect((await it.containers("supervisor")).map(({ id }) => id)).toEqual([crowd?.id]);
  }, 60_000);

  /** Calls until a crowd serves it, and says which. @param body runs when `args.how` is not empty */
  async function openCrowd(it: Awaited<ReturnType<typeof open>>, body: string) {
    const { engine } = it;
    const whole = `const host = require("os").hostname(); if (args.how === "") return host; if (args.how === "wait") { await new Promise((r) => setTimeout(r, args.ms)); return "waited"; } ${body}`;
    const call = (how: string, args: Record<string, number> = {}, timeoutMs = 30_000) =>
      runBody(engine, whole, { args: { how, ...args }, timeoutMs });
    await Promise.all(Array.from({ length: 6 }, () => call("")));
    await expect.poll(async () => (await it.containers("supervisor")).length, { timeout: 10_000 }).toBe(1);
    const [crowd] = await it.containers("supervisor");
    const id = crowd?.id ?? "none";
    const isInside = async () => id.startsWith(JSON.parse(done(await call("")).resultJson) as string);
    await expect.poll(isInside, { timeout: 10_000 }).toBe(true);
    return { id, call, isInside };
  }

  it("keeps its first process and all others out of reach of a guest", async () => {
    await using it = await open({ maxContainers: 8, warm: 0 });
    const { id, call, isInside } = await openCrowd(
      it,
      `
      const tried = {};
      const attempt = (name, work) => { try { work(); tried[name] = "done"; } catch (error) { tried[name] = error.code; } };
      const fs = require("fs"), v8 = require("v8");
      if (args.how === "flags") {
        // A guest that can write there could speak for the supervisor.
        v8.setFlagsFromString("--trace-turbo-cfg-file=/proc/1/fd/1"); v8.setFlagsFromString("--trace-turbo");
        const work = new Function("a", "return a * 2"); for (let i = 0; i < 1e6; i++) work(i);
        return "written";
      }
      for (const name of ["fd/0", "fd/1", "mem", "environ", "root/etc/passwd"])
        for (const mode of ["r", "w"]) attempt(mode + " " + name, () => fs.closeSync(fs.openSync("/proc/1/" + name, mode)));
      attempt("sqlite", () => require("node:sqlite"));
      attempt("binding", () => process.binding("v8"));
      const signals = Object.keys(require("os").constants.signals).filter((name) => !["SIGKILL", "SIGSTOP", "SIGUSR1"].includes(name));
      for (const name of signals) try { process.kill(1, name); } catch {}
      for (let pid = 1; pid < 200; pid++)
        for (const open of [() => process.kill(pid, "SIGUSR1"), () => process._debugProcess(pid)]) try { open(); } catch {}
      await new Promise((r) => setTimeout(r, 300));
      tried.debugger = await new Promise((r) => require("net").connect(9229, "127.0.0.1", () => r("open")).on("error", (e) => r(e.code)));
      return tried;`,
    );
    const waiting = call("wait", { ms: 1_500 });
    const tried = JSON.parse(done(await call("try")).resultJson) as Record<string, string>;
    expect(tried["debugger"]).toBe("ECONNREFUSED");
    const opened = Object.entries(tried).filter(([name, how]) => name !== "debugger" && how === "done");
    expect(opened).toEqual([]);
    expect(failed(await call("flags")).code).not.toBe("TIMEOUT");
    expect(done(await waiting).resultJson).toBe('"waited"');
    await expect.poll(isInside, { timeout: 10_000 }).toBe(true);
    expect((await it.containers("supervisor")).map((each) => each.id)).toEqual([id]);
  }, 60_000);

  it("lets a guest that floods delay nobody, and ends it alone", async () => {
    await using it = await open({ maxContainers: 8, warm: 0 });
    const { id, call, isInside } = await openCrowd(
      it,
      `
      const cell = new Int32Array(new SharedArrayBuffer(4));
      const frame = Buffer.from([0, 0, 0, 7, 4, 0, 0, 0, 2, 123, 125]);
      const many = Buffer.concat(Array(args.frames).fill(frame));
      if (args.frames === 0) {
        require("fs").writeSync(args.to, Buffer.from([0, 240, 0, 0, 7, 0, 0, 0, 9]));
        for (;;) try { require("fs").writeSync(args.to, frame, 0, 1); } catch { Atomics.wait(cell, 0, 0, 1); }
      }
      for (;;) for (let at = 0; at < many.length; )
        try { at += require("fs").writeSync(args.to, many, at); } catch { Atomics.wait(cell, 0, 0, 1); }`,
    );
    for (const [to, frames] of [
      [1, 1],
      [1, 50_000],
      [2, 50_000],
    ] as const) {
      // prettier-ignore
      const flood = call("flood", { to, frames }, 1_500);
      const beside = await Promise.all([call("wait", { ms: 300 }, 5_000), call("wait", { ms: 300 }, 5_000)]);
      expect(beside.map((end) => done(end).resultJson)).toEqual(['"waited"', '"waited"']);
      expect(["TIMEOUT", "TOO_LARGE", "ENGINE_CRASHED"]).toContain(failed(await flood).code);
    }
    await expect.poll(isInside, { timeout: 10_000 }).toBe(true);
    expect((await it.containers("supervisor")).map((each) => each.id)).toEqual([id]);
  }, 60_000);

  it("says that a process was ended from outside, and not for memory, when a call kills those beside it", async () => {
    await using it = await open({ maxContainers: 8, warm: 0 });
    const { call } = await openCrowd(it, "process.kill(-1, 'SIGKILL'); return 1");
    const beside = [call("wait", { ms: 2_000 }), call("wait", { ms: 2_000 })];
    await call("wait", { ms: 500 });
    await call("kill");
    for (const end of await Promise.all(beside)) {
      const { code, message } = failed(end);
      expect(code).toBe("PROCESS_EXITED");
      expect(message).toContain("try again");
    }
  }, 60_000);

  it("refuses after a while when all containers stay busy", async () => {
    await using it = await open({ maxContainers: 1, warm: 0, maxWaitMs: 2_000 });
    await runBody(it.engine, "return 1");
    const busy = runBody(it.engine, "for (;;);", { timeoutMs: 4_000 });
    await expect(runBody(it.engine, "return 1")).rejects.toMatchObject({
      code: "OVERLOADED",
      data: { waitedMs: 2_000 },
    });
    await busy;
  });
});
