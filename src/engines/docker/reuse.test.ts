import { afterAll, describe, expect, it } from "vitest";
import { done, failed, runBody, type RunOptions } from "../fixtures/run-body.ts";
import { createDockerBase } from "./docker-base.ts";
import { createDockerEngine, type DockerEngineOptions } from "./docker-engine.ts";
import { docker } from "./fixtures/open-engine.ts";
import { LABEL } from "./marks.ts";

/** How many calls this process has seen, and what else the body does. */
const counting = (more = "") => `globalThis.seen = (globalThis.seen ?? 0) + 1; ${more}; return globalThis.seen`;

describe.skipIf(!docker)("the docker engine that keeps processes", () => {
  afterAll(() => docker?.client.close());

  function open(options: DockerEngineOptions = {}) {
    const base = createDockerBase({ defaultImage: docker?.images.node ?? "" });
    const engine = createDockerEngine(base, { reuse: "process", ...options });
    const containers = async () =>
      (await docker?.client.containers.list([`${LABEL.instance}=${base.marks.instance}`]))?.filter(
        ({ labels }) => labels[LABEL.kind] === "sandbox",
      ) ?? [];
    const call = (code: string, more: RunOptions = {}) => runBody(engine, code, { timeoutMs: 15_000, ...more });
    return {
      containers,
      call,
      count: async (code = counting(), more: RunOptions = {}) => Number(done(await call(code, more)).resultJson),
      async [Symbol.asyncDispose]() {
        await engine.close();
        await base.close();
        expect(await containers()).toEqual([]);
      },
    };
  }
  const named = async (name: string) => ({ program: { js: counting(), digest: "the same", name } });

  it("shows the next call of a tool and principal what the last one left, and nobody else", async () => {
    await using it = open();
    expect([await it.count(), await it.count(), await it.count()]).toEqual([1, 2, 3]);
    expect(await it.count(counting(), { scope: "somebody else" })).toBe(1);
    expect(await it.count(counting("/* another tool */"))).toBe(1);
    expect(await it.count("", await named("one"))).toBe(1);
    expect(await it.count("", await named("another of the same code"))).toBe(1);
    expect(await it.count(counting(), { limits: { memoryMiB: 96 } })).toBe(1);
    expect(await it.count()).toBe(4);
  });

  it("shows nobody anything unless it was asked to", async () => {
    await using it = open({ reuse: "none", warm: 0 });
    expect([await it.count(), await it.count()]).toEqual([1, 1]);
  });

  it("gives each call its own arguments, console and rights", async () => {
    await using it = open();
    const body = "console.log(args.n); return [args.n, typeof tools, process.argv.length]";
    for (const n of [1, 2]) {
      const end = done(await it.call(body, { args: { n } }));
      expect(JSON.parse(end.resultJson)).toEqual([n, "undefined", 4]);
      expect(end.logs).toEqual([{ level: "log", text: String(n) }]);
    }
  });

  it.each([
    ["throws", "throw new Error('no')", "CODE_THREW"],
    ["runs out of time", "for (;;);", "TIMEOUT"],
    ["exits", "process.exit(0)", "PROCESS_EXITED"],
    ["breaks what jobs are begun with", "Object.freeze(globalThis)", "CODE_THREW"],
  ])("gives a fresh process after a call that %s", async (_, breaking, code) => {
    await using it = open();
    const body = counting(`if (args.break) { ${breaking} }`);
    expect(await it.count(body)).toBe(1);
    let end = await it.call(body, { args: { break: true }, timeoutMs: 1_000 });
    // What it broke may show in the next call only.
    if (end.state === "done") end = await it.call(body, { timeoutMs: 1_000 });
    expect(failed(end).code).toBe(code);
    expect(await it.count(body)).toBe(1);
  });

  it("ends a process that nobody called for a while, and one that talks without a job", async () => {
    await using it = open({ reuseIdleMs: 300 });
    expect(await it.count()).toBe(1);
    await expect.poll(it.containers, { timeout: 5_000 }).toEqual([]);
    expect(await it.count()).toBe(1);

    await using other = open();
    const flood =
      "setInterval(() => require('fs').writeSync(1, Buffer.from([0, 0, 0, 7, 7, 0, 0, 0, 2, 123, 125])), 1)";
    await other.count(counting(flood));
    await expect.poll(other.containers, { timeout: 5_000 }).toEqual([]);
  });

  it("never keeps more than there may be", async () => {
    await using it = open({ maxContainers: 2 });
    for (const scope of ["a", "b", "c", "c"]) await it.count(counting(), { scope });
    await expect.poll(async () => (await it.containers()).length).toBe(2);
    expect(await it.count(counting(), { scope: "c" })).toBe(3);
    expect(await it.count(counting(), { scope: "a" })).toBe(1);
  });
});
