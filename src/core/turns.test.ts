import { describe, expect, it } from "vitest";
import { createTurns } from "./turns.ts";

describe("turns", () => {
  it("let so many run at once, the others after them in order, also when one fails", async () => {
    const inTurn = createTurns(2);
    const started: number[] = [];
    const ends: ((isWell: boolean) => void)[] = [];
    const work = (n: number) => () =>
      new Promise<number>((resolve, reject) => {
        started.push(n);
        ends[n] = (isWell) => (isWell ? resolve(n) : reject(new Error("failed")));
      });
    const all = Promise.allSettled([0, 1, 2, 3].map((n) => inTurn(work(n))));
    await expect.poll(() => started).toEqual([0, 1]);
    ends[1]?.(false);
    await expect.poll(() => started).toEqual([0, 1, 2]);
    ends[0]?.(true);
    await expect.poll(() => started).toEqual([0, 1, 2, 3]);
    ends[3]?.(true);
    ends[2]?.(true);
    expect((await all).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    const later = inTurn(work(4));
    await expect.poll(() => started).toContain(4);
    ends[4]?.(true);
    expect(await later).toBe(4);
  });
});
