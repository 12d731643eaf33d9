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
