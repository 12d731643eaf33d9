import { spawn, type ChildProcess } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryWatch } from "./memory-watch.ts";

const MIB = 1024 * 1024;

describe.skipIf(process.platform !== "linux")("a watch over the memory of processes", () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  /** A program that holds so much, in a child of its own when `below` says so. */
  function hold(mib: number, below = false): Promise<number> {
    const holder = `globalThis.kept = Buffer.alloc(${mib * MIB}, 1); console.log('ready'); setInterval(() => {}, 1000)`;
    const program = below
      ? `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(holder)}], { stdio: 'inherit' })`
      : holder;
    const child = spawn(process.execPath, ["-e", program], { stdio: ["pipe", "pipe", "inherit"], detached: true });
    children.push(child);
    child.kill = (signal) => process.kill(-(child.pid ?? 0), signal);
    return new Promise((resolve) => child.stdout.once("data", () => resolve(child.pid ?? 0)));
  }

  it.each([
    ["the process itself", false],
    ["what it has started", true],
  ])("tells once that %s has too much", async (_, below) => {
    const watch = createMemoryWatch();
    let told = 0;
    const stop = watch.watch(await hold(120, below), 120 * MIB, () => told++);
    await expect.poll(() => told).toBe(1);
    stop();
    stop();
    expect(told).toBe(1);
  });

  it("tells nothing of who stays below, or is watched no longer, or is gone", async () => {
    const watch = createMemoryWatch();
    let told = 0;
    const pid = await hold(20);
    const stops = [watch.watch(pid, 200 * MIB, () => told++), watch.watch(2 ** 22 - 1, 1, () => told++)];
    watch.watch(pid, 1, () => told++)();
    let seen = 0;
    const stop = watch.watch(pid, 1, () => seen++);
    await expect.poll(() => seen).toBe(1);
    expect(told).toBe(0);
    for (const each of [...stops, stop]) each();
  });
});
