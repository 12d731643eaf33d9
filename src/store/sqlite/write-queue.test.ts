import { afterEach, describe, expect, it } from "vitest";
import { SILENT } from "../../core/source.ts";
import { createWriteQueue, type WriteQueue, type WriteQueueOptions } from "./write-queue.ts";

describe("the queue of writes", () => {
  const opened: WriteQueue[] = [];
  const open = (options: Partial<WriteQueueOptions> = {}) => {
    const queue = createWriteQueue({
      file: "/nowhere/x.sqlite",
      changesKept: 1,
      writer: new URL("./fixtures/echo-writer.ts", import.meta.url),
      log: SILENT,
      lockWaitMs: 1_000,
      idleMs: 60_000,
      onCommit: () => undefined,
      ...options,
    });
    opened.push(queue);
    return queue;
  };
  /** What the stand-in answers, whatever is asked. */
  const ask = async (queue: WriteQueue, id = "x") =>
    (await queue.write("removeChannel", { id })) as unknown as { threadId: number; size: number };

  afterEach(() => Promise.all(opened.splice(0).map((queue) => queue.close())));

  it("sends what is asked for in one turn as one batch, and what comes meanwhile as the next", async () => {
    const queue = open();
    const first = [ask(queue), ask(queue), ask(queue)];
    await Promise.resolve();
    const second = [ask(queue), ask(queue)];
    expect((await Promise.all(first)).map(({ size }) => size)).toEqual([3, 3, 3]);
    expect((await Promise.all(second)).map(({ size }) => size)).toEqual([2, 2]);
  });

  it("refuses what a thread that cannot start should have written, and says what the problem is", async () => {
    const queue = open({ writer: new URL("http://127.0.0.1/not-a-file") });
    const all = await Promise.allSettled([ask(queue), ask(queue)]);
    for (const each of all) {
      expect(each).toMatchObject({ status: "rejected", reason: { code: "STORE_UNAVAILABLE" } });
    }
    expect(queue.problem).toContain("did not start");
  });

  it("bounds a batch", async () => {
    const queue = open();
    const sizes = await Promise.all(Array.from({ length: 600 }, async () => (await ask(queue)).size));
    expect(Math.max(...sizes)).toBe(256);
    expect(new Set(sizes)).toEqual(new Set([256, 600 - 512]));
  });

  it("lets the thread go when it rests, and starts another for the next write", async () => {
    const queue = open({ idleMs: 1 });
    const first = await ask(queue);
    await expect.poll(async () => (await ask(queue)).threadId, { interval: 20 }).not.toBe(first.threadId);
  });

  it("refuses what a thread that died has taken with it, and goes on with another", async () => {
    const queue = open();
    const { threadId } = await ask(queue);
    const dying = [ask(queue, "die"), ask(queue)];
    await Promise.resolve();
    const next = ask(queue);
    for (const end of await Promise.allSettled(dying))
      expect(end).toMatchObject({ status: "rejected", reason: { code: "STORE_UNAVAILABLE" } });
    expect((await next).threadId).not.toBe(threadId);
    expect(queue.problem).toBeUndefined();
  });

  it("outlives a request that cannot be sent", async () => {
    const queue = open();
    const id = (() => undefined) as unknown as string;
    await expect(ask(queue, id)).rejects.toThrow(/could not be cloned/);
    await expect(ask(queue)).resolves.toMatchObject({ size: 1 });
  });

  it("tells of a commit before those who waited go on", async () => {
    const seen: string[] = [];
    const queue = open({ onCommit: (names) => seen.push(...names) });
    await Promise.all([ask(queue).then(() => seen.push("waiter")), queue.write("probe", null)]);
    expect(seen).toEqual(["removeChannel", "probe", "waiter"]);
  });

  it("drains before it closes, starts nothing for nothing, and refuses later writes", async () => {
    const queue = open();
    const last = ask(queue);
    await queue.close();
    await expect(last).resolves.toMatchObject({ size: 1 });
    await expect(ask(queue)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await open({ writer: new URL("file:///there/is/no/such/program.js") }).close();
  });
});
