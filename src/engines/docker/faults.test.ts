import { afterAll, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { type ExecutionEngine, type JobEnd, NO_ACCESS } from "../engine.ts";
import { failed, runBody } from "../fixtures/run-body.ts";
import { createDockerBase } from "./docker-base.ts";
import { createDockerEngine, type DockerEngineOptions } from "./docker-engine.ts";
import { cutSocket } from "./fixtures/cut-socket.ts";
import { docker } from "./fixtures/open-engine.ts";
import { LABEL } from "./marks.ts";

/** Comes back when the code runs; its end is still to come. */
async function startLongCall(engine: ExecutionEngine): Promise<{ end: Promise<JobEnd> }> {
  let end: Promise<JobEnd> | undefined;
  await new Promise<void>((resolve, reject) => {
    const host = { call: async () => (resolve(), null) };
    const body = "await tools.call('started'); await new Promise((r) => setTimeout(r, 60_000))";
    end = runBody(engine, body, { timeoutMs: 20_000, may: { ...NO_ACCESS, callTools: true }, host });
    end.catch(reject);
  });
  if (!end) throw new Error("it never began");
  return { end };
}

const UNAVAILABLE = { code: "ENGINE_UNAVAILABLE" };

describe.skipIf(!docker)("the docker engine, when its daemon fails", () => {
  afterAll(() => docker?.client.close());
  const ours = async (instance: string) =>
    (await docker?.client.containers.list([`${LABEL.instance}=${instance}`]))?.length;

  async function open(host: string, options: DockerEngineOptions = { warm: 1 }) {
    const base = createDockerBase({ host, defaultImage: docker?.images.node ?? "" });
    const engine = createDockerEngine(base, options);
    return {
      base,
      engine,
      async [Symbol.asyncDispose]() {
        await engine.close();
        await base.close();
      },
    };
  }

  it("says at once that there is none, and finds it when it comes [docker-daemon-faults]", async () => {
    await using socket = await cutSocket();
    await socket.stop();
    await using it = await open(socket.host);
    await expect(runBody(it.engine, "return 1")).rejects.toMatchObject(UNAVAILABLE);
    expect(await it.engine.probe()).toMatchObject({ isAvailable: false });
    expect(await it.base.availability.check()).toBe(false);
    await socket.start();
    expect(await runBody(it.engine, "return 1")).toMatchObject({ state: "done", resultJson: "1" });
  });

  it("ends a call whose daemon stops, and runs the next when it is back", async () => {
    await using socket = await cutSocket();
    await using it = await open(socket.host);
    await runBody(it.engine, "return 1");
    const running = await startLongCall(it.engine);
    const startedAt = performance.now();
    await socket.stop();
    expect(failed(await running.end)).toMatchObject({ code: "ENGINE_CRASHED" });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await expect(runBody(it.engine, "return 1")).rejects.toMatchObject(UNAVAILABLE);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await socket.start();
    expect(await runBody(it.engine, "return 2")).toMatchObject({ state: "done", resultJson: "2" });
  });

  it("says that there is none to a call whose code did nothing yet, when the daemon dies under it", async () => {
    await using socket = await cutSocket();
    await using it = await open(socket.host);
    await runBody(it.engine, "return 1");
    const call = runBody(it.engine, "for (;;);", { timeoutMs: 20_000 });
    call.catch(() => {});
    const running = async () => ((await it.engine.probe()).detail as { pool: { running: number } }).pool.running;
    await expect.poll(running, { timeout: 10_000 }).toBe(1);
    await socket.stop();
    await expect(call).rejects.toMatchObject(UNAVAILABLE);
  });

  it("ends a call at its deadline when the daemon hangs, warm or cold", async () => {
    await using socket = await cutSocket();
    await using it = await open(socket.host);
    await runBody(it.engine, "return 1");
    socket.hang();
    for (let i = 0; i < 3; i++) {
      const startedAt = performance.now();
      expect(failed(await runBody(it.engine, "return 1", { timeoutMs: 300 }))).toMatchObject({ code: "TIMEOUT" });
      expect(performance.now() - startedAt).toBeLessThan(800);
    }
    const deadline = new Deadline(20_000);
    setTimeout(() => deadline.end("client"), 50);
    expect(failed(await runBody(it.engine, "return 1", { deadline }))).toMatchObject({ code: "CANCELLED" });
    socket.goOn();
    expect(await runBody(it.engine, "return 2", { timeoutMs: 10_000 })).toMatchObject({ state: "done" });
  });

  it("removes what it could not remove while the daemon was away", async () => {
    await using socket = await cutSocket();
    const it = await open(socket.host);
    const running = await startLongCall(it.engine);
    await socket.stop();
    await running.end;
    expect(await ours(it.base.marks.instance)).toBeGreaterThan(0);
    await socket.start();
    await it.engine.close();
    await it.base.close();
    expect(await ours(it.base.marks.instance)).toBe(0);
  });

  it.each([
    ["once: the container is made all the same", 1, ["done"]],
    ["again and again: the call says so, and nothing is left", 99, ["ENGINE_UNAVAILABLE"]],
  ] as const)("loses no container when the answer to its making is lost %s", async (_, times, ends) => {
    await using socket = await cutSocket();
    await using it = await open(socket.host, { warm: 0 });
    await runBody(it.engine, "return 1");
    socket.loseAnswers(/^POST .*\/containers\/create/, times);
    const how = await runBody(it.engine, "return 2").then(
      ({ state }) => state,
      ({ code, message }: { code: string; message: string }) => {
        expect(message).toContain("Docker daemon");
        expect(message).not.toContain("lack of memory");
        return code;
      },
    );
    expect(ends).toContain(how);
    await expect.poll(() => ours(it.base.marks.instance), { timeout: 10_000 }).toBe(0);
  });

  it("says of a daemon that hangs that it does not answer, long before the wait for a container is over", async () => {
    await using socket = await cutSocket();
    await using it = await open(socket.host, { warm: 0 });
    await runBody(it.engine, "return 1");
    socket.hang();
    const startedAt = performance.now();
    const call = runBody(it.engine, "return 1", { runMs: 2_000, timeoutMs: 17_000 });
    await expect(call).rejects.toMatchObject({ ...UNAVAILABLE, message: expect.stringContaining("does not answer") as string }); // prettier-ignore
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    socket.goOn();
  });

  it("does not wait long for a container to be removed by a daemon that hangs", async () => {
    await using socket = await cutSocket();
    await using it = await open(socket.host);
    await runBody(it.engine, "return 1");
    const label = `${LABEL.instance}=${it.base.marks.instance}`;
    const idle = async () =>
      (await docker?.client.containers.list([label]))?.filter(({ state }) => state === "running");
    await expect.poll(async () => (await idle())?.length, { timeout: 10_000 }).toBe(1);
    socket.hang();
    const startedAt = performance.now();
    await it.base.remove((await idle())?.[0]?.id ?? "");
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    socket.goOn();
  });

  it.each(["gone", "hanging"])(
    "closes soon when the daemon is %s for good",
    async (how) => {
      await using socket = await cutSocket();
      const it = await open(socket.host);
      await runBody(it.engine, "return 1");
      if (how === "gone") await socket.stop();
      else socket.hang();
      const startedAt = performance.now();
      await it.engine.close();
      await it.base.close();
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      // What is left is for the next server; here we are it.
      for (const { id } of (await docker?.client.containers.list([`${LABEL.instance}=${it.base.marks.instance}`])) ??
        [])
        await docker?.client.containers.remove(id);
      for (const { name } of (await docker?.client.volumes.list([`${LABEL.instance}=${it.base.marks.instance}`])) ?? [])
        await docker?.client.volumes.remove(name);
    },
    40_000,
  );
});
