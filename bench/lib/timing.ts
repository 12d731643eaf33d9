/** Figures of one round: how long, how many, how much a floor takes. */
import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { median } from "./rounds.ts";

type Work = () => Promise<unknown>;

const CALLERS = 8;

/**
 * @param before each time, not counted: keeps a pace, or waits until all is quiet again
 * @returns ms
 */
export async function p50(times: number, work: Work, before?: Work): Promise<number> {
  const took: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    await before?.();
    const startedAt = performance.now();
    await work();
    took.push(performance.now() - startedAt);
  }
  return median(took);
}

/** How many of `times` calls per second eight callers finish, each with one at a time. */
export async function perSecond(times: number, work: Work): Promise<number> {
  let left = times;
  async function caller() {
    while (left-- > 0) await work();
  }
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return times / ((performance.now() - startedAt) / 1_000);
}

export const pace = (ms: number) => () => pause(ms);

/** @throws Error when it takes longer than `withinMs` */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, withinMs = 20_000): Promise<void> {
  const endsAt = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error(`${what}: not within ${withinMs} ms`);
    await pause(20);
  }
}

/** The floor of what starts a process. Its environment is empty: certificates named there would be loaded first. */
export const bareNode = () => runToEnd(process.execPath, ["-e", "0"], {});

/** @throws Error when it fails. Its output goes nowhere */
export function runToEnd(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: "ignore" });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}`));
    });
  });
}
