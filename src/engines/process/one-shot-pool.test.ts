import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { SILENT } from "../../core/source.ts";
import { createFakeChild, type FakeChild } from "./fixtures/fake-child.ts";
import type { Nested } from "./admission.ts";
import { createMember, type Member } from "./member.ts";
import { createOneShotPool, type OneShotPool, type OneShotPoolOptions } from "./one-shot-pool.ts";

const PLAIN: Nested = { depth: 0, calls: false };

/** A pool over children that start and end when the test says so. */
function open(options: Partial<OneShotPoolOptions> = {}, endsWhenKilled = true) {
  const children: { key: string; child: FakeChild; member: Member }[] = [];
  let live = 0;
  let most = 0;
  const pool = createOneShotPool({
    engine: "node",
    maxRunning: 2,
    maxLive: 4,
    idlePerKey: 0,
    idleMs: 60_000,
    maxWaitMs: 60_000,
    log: SILENT,
    ...options,
  });
  pools.push(pool);
  const spawnFor = (key: string) => () => {
    let child: FakeChild | undefined;
    const member = createMember({
      engine: "node",
      start: (onFrame) => (child = createFakeChild(onFrame, endsWhenKilled)),
      onWaiting: () => pool.wake(),
    });
    if (!child) throw new Error("no child");
    children.push({ key, child, member });
    most = Math.max(most, ++live);
    void child.exited.then(() => live--);
    return member;
  };
  const ask = (key = "a", deadline = new Deadline(60_000), job: Nested = PLAIN) => {
    deadlines.push(deadline);
    const asked = pool.acquire(key, spawnFor(key), job, deadline);
    asked.catch(() => {});
    return asked;
  };
  return { pool, children, ask, most: () => most, spawnFor };
}

/** Gives a member a job that waits for something. */
function runThatWaits(member: Member, child: FakeChild | undefined): void {
  const deadline = new Deadline(60_000);
  deadlines.push(deadline);
  const limits = { memoryMiB: 1, argsBytes: 1, resultBytes: 9, logBytes: 1, hostCalls: { open: 1, total: 1 } };
  const may = { callTools: true, fetch: false, readSecrets: false };
  const program = { js: "", digest: "", name: "" };
  const job = { program, argsJson: "", limits, seed: "", startedAtMs: 0, may, depth: 0, scope: "" };
  void member.run(job, { call: async () => 1 }, deadline);
  child?.say(6, { logs: [] });
}

const pools: OneShotPool[] = [];
const deadlines: Deadline[] = [];
afterEach(async () => {
  for (const deadline of deadlines.splice(0)) deadline.close();
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

describe("a pool of sandboxes that are used once", () => {
  it("starts one for the first job, ends it after, and never gives it again", async () => {
    const { pool, children, ask } = open();
    const first = ask();
    children[0]?.child.ready();
    pool.release(await first);
    expect(children[0]?.child.isKilled).toBe(true);
    const second = ask();
    await expect.poll(() => children.length).toBe(2);
    children[1]?.child.ready();
    expect(await second).not.toBe(await first);
  });

  it("keeps so many ready for a key that was used, started one after the other", async () => {
    const { pool, children, ask } = open({ idlePerKey: 2 });
    const first = ask();
    children[0]?.child.ready();
    pool.release(await first);
    await expect.poll(() => children.length).toBe(2);
    expect(pool.counts()).toMatchObject({ starting: 1, idle: 0 });
    children[1]?.child.ready();
    await expect.poll(() => children.length).toBe(3);
    children[2]?.child.ready();
    await expect.poll(() => pool.counts().idle).toBe(2);
    expect(await ask()).toBe(children[1]?.member);
  });

  it("starts several of them at once when it is told to", async () => {
    const { pool, children, ask } = open({ idlePerKey: 3, refillAtOnce: 2, maxLive: 10 });
    const first = ask();
    children[0]?.child.ready();
    pool.release(await first);
    await expect.poll(() => children.length).toBe(3);
    expect(pool.counts()).toMatchObject({ starting: 2, idle: 0 });
    children[1]?.child.ready();
    await expect.poll(() => children.length).toBe(4);
    for (const { child } of children.slice(2)) child.ready();
    await expect.poll(() => pool.counts()).toMatchObject({ starting: 0, idle: 3 });
  });

  it("gives one again to its own key when it is told to, while it is sound", async () => {
    const { pool, children, ask } = open();
    const first = ask();
    children[0]?.child.ready();
    const member = await first;
    pool.release(member, true);
    expect(pool.counts()).toMatchObject({ idle: 1, running: 0 });
    void ask("b").catch(() => {});
    expect(children.length).toBe(2);
    expect(await ask()).toBe(member);
    member.kill();
    pool.release(member, true);
    expect(pool.counts()).toMatchObject({ idle: 0 });
  });

  it("lets one that was kept go when nobody wants it, or when it is in the way", async () => {
    const { pool, children, ask } = open({ maxLive: 1, idleMs: 30 });
    const first = ask();
    children[0]?.child.ready();
    pool.release(await first, true);
    await expect.poll(() => children[0]?.child.isKilled).toBe(true);
    const second = ask();
    await expect.poll(() => children.length).toBe(2);
    children[1]?.child.ready();
    pool.release(await second, true);
    const other = ask("b");
    expect(children[1]?.child.isKilled).toBe(true);
    await expect.poll(() => children.length).toBe(3);
    children[2]?.child.ready();
    await other;
  });

  it("never has more than its limit, those included that are not gone yet", async () => {
    const { pool, children, ask, most } = open({ maxRunning: 100, maxLive: 4, idlePerKey: 2 });
    const served: Member[] = [];
    const all = Array.from({ length: 100 }, () => ask().then((member) => served.push(member)));
    let readied = 0;
    while (served.length < 100) {
      for (; readied < children.length; readied++) children[readied]?.child.ready();
      await Promise.resolve();
      const member = served.at(-1);
      if (member) pool.release(member);
      for (const each of served) pool.release(each);
      await new Promise(setImmediate);
    }
    await Promise.all(all);
    expect(most()).toBe(4);
    expect(new Set(served).size).toBe(100);
  });

  it("runs so many at once, in the order of asking", async () => {
    const { pool, children, ask } = open();
    const order: number[] = [];
    const asked = [0, 1, 2, 3].map((n) => ask().then((member) => (order.push(n), member)));
    expect(children.length).toBe(2);
    for (const { child } of children) child.ready();
    const [first] = await Promise.all([asked[0], asked[1]]);
    expect(pool.counts()).toMatchObject({ running: 2, asking: 2 });
    if (first) pool.release(first);
    await expect.poll(() => children.length).toBe(3);
    children[2]?.child.ready();
    await asked[2];
    expect(order).toEqual([0, 1, 2]);
    asked[3]?.catch(() => {}); // ended with the pool
  });

  it("does not count a guest that only waits as running", async () => {
    const { children, ask, pool } = open({ maxRunning: 1 });
    const first = ask();
    children[0]?.child.ready();
    const member = await first;
    const second = ask();
    expect(children.length).toBe(1);
    runThatWaits(member, children[0]?.child);
    expect(children.length).toBe(2);
    children[1]?.child.ready();
    await second;
    expect(pool.counts()).toMatchObject({ running: 1, waiting: 1 });
  });

  it("lets an idle one of another key go when there is no room", async () => {
    const { pool, children, ask } = open({ maxLive: 2, idlePerKey: 1 });
    const first = ask("a");
    children[0]?.child.ready();
    pool.release(await first);
    await expect.poll(() => children.length).toBe(2);
    children[1]?.child.ready();
    await expect.poll(() => pool.counts().idle).toBe(1);
    const both = [ask("b"), ask("b")];
    await expect.poll(() => children.length).toBe(4);
    expect(children[1]?.child.isKilled).toBe(true);
    for (const { child } of children.slice(2)) child.ready();
    await Promise.all(both);
  });

  it("does not end for a deeper job what was started for another one, and serves the deeper one next", async () => {
    const { pool, children, ask } = open({ maxRunning: 10, maxLive: 1 });
    const first = ask("a");
    const deep = ask("b", new Deadline(60_000), { depth: 1, calls: false });
    const second = ask("a");
    children[0]?.child.ready();
    const member = await first;
    expect(children[0]?.child.isKilled).toBe(false);
    pool.release(member);
    await expect.poll(() => children.map(({ key }) => key)).toEqual(["a", "b"]);
    children[1]?.child.ready();
    pool.release(await deep);
    await expect.poll(() => children.length).toBe(3);
    children[2]?.child.ready();
    await second;
  });

  it("keeps room for what callers call, and refuses at once what can never have a place", async () => {
    const caller: Nested = { depth: 0, calls: true };
    const { pool, children, ask } = open({ maxRunning: 10, maxLive: 2 });
    const [first, second] = [caller, caller].map((job) => ask("a", new Deadline(60_000), job));
    expect(children.length).toBe(1);
    children[0]?.child.ready();
    const parent = await first;
    if (!parent) throw new Error("no member");
    const nested = ask("a", new Deadline(60_000), { depth: 1, calls: false });
    expect(children.length).toBe(2);
    const deeper = ask("a", new Deadline(60_000), { depth: 1, calls: true });
    children[1]?.child.ready();
    const leaf = await nested;
    runThatWaits(parent, children[0]?.child);
    pool.release(leaf);
    await expect(deeper).rejects.toMatchObject({ code: "OVERLOADED", data: { places: 2, depth: 1 } });
    pool.release(parent);
    await expect.poll(() => children.length).toBe(3);
    children[2]?.child.ready();
    await second;
  });

  it("lets idle ones go after a while", async () => {
    const { pool, children, ask } = open({ idlePerKey: 1, idleMs: 30 });
    const first = ask();
    children[0]?.child.ready();
    pool.release(await first);
    await expect.poll(() => children.length).toBe(2);
    children[1]?.child.ready();
    await expect.poll(() => children[1]?.child.isKilled).toBe(true);
    expect(pool.counts()).toMatchObject({ idle: 0, starting: 0 });
  });

  it("replaces nothing when idle ones end by themselves, and gives none that has", async () => {
    const { pool, children, ask } = open({ idlePerKey: 1 });
    const first = ask();
    children[0]?.child.ready();
    pool.release(await first);
    await expect.poll(() => children.length).toBe(2);
    children[1]?.child.ready();
    await expect.poll(() => pool.counts().idle).toBe(1);
    children[1]?.child.end();
    await expect.poll(() => pool.counts().idle).toBe(0);
    void ask();
    await expect.poll(() => children.length).toBe(3);
  });

  it("refuses with the deadline's error when that ends first", async () => {
    const { ask, pool } = open();
    const deadline = new Deadline(60_000);
    const asked = ask("a", deadline);
    deadline.end("client");
    await expect(asked).rejects.toMatchObject({ code: "CANCELLED" });
    expect(pool.counts().asking).toBe(0);
  });

  it("is overloaded after its time, and says when to come back", async () => {
    const { ask } = open({ maxWaitMs: 20 });
    await expect(ask()).rejects.toMatchObject({ code: "OVERLOADED", data: { waitedMs: 20, retryAfterMs: 1_000 } });
  });

  it("has one asker pay for one failed start", async () => {
    const { children, ask } = open({ maxRunning: 1 });
    const [first, second] = [ask(), ask()];
    children[0]?.child.end({ code: 1, stderr: "no room" });
    await expect(first).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await expect.poll(() => children.length).toBe(2);
    children[1]?.child.ready();
    await second;
  });

  it("has nobody pay for one that was started ahead and failed", async () => {
    const { pool, children, ask } = open({ idlePerKey: 1 });
    const first = ask();
    children[0]?.child.ready();
    pool.release(await first);
    await expect.poll(() => children.length).toBe(2);
    const second = ask();
    expect(children.length).toBe(2); // counts on the one that starts
    children[1]?.child.end({ code: 1, stderr: "killed" });
    await expect.poll(() => children.length).toBe(3);
    children[2]?.child.end({ code: 1, stderr: "no room" });
    await expect(second).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });

  it("refuses where nothing can be started at all", async () => {
    const { pool } = open();
    const deadline = new Deadline(60_000);
    deadlines.push(deadline);
    const spawn = () => {
      throw new Error("not there");
    };
    await expect(pool.acquire("a", spawn, PLAIN, deadline)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });

  it("has no place taken by one that could not be started", async () => {
    const { pool, children, ask } = open({ maxRunning: 1 }, false);
    const first = ask();
    children[0]?.child.ready();
    const deadline = new Deadline(60_000);
    deadlines.push(deadline);
    const spawn = () => {
      throw new Error("not there");
    };
    const asked = [1, 2, 3].map(() => pool.acquire("b", spawn, PLAIN, deadline));
    pool.release(await first);
    expect(pool.counts().asking).toBe(0);
    for (const each of asked) await expect(each).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    children[0]?.child.end();
  });

  it("ends all when it is closed, waits until they are gone, and takes no more", async () => {
    const { pool, children, ask } = open({}, false);
    const first = ask();
    children[0]?.child.ready();
    await first;
    const others = [ask(), ask()];
    let isClosed = false;
    const closing = pool.close().then(() => (isClosed = true));
    for (const other of others) await expect(other).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    expect(children.every(({ child }) => child.isKilled)).toBe(true);
    expect(isClosed).toBe(false);
    for (const { child } of children) child.end({ reason: "killed" });
    await closing;
    await expect(ask()).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await pool.close();
  });
});
