import { describe, expect, it } from "vitest";
import { Deadline } from "./deadline.ts";
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

  it("pass over who has given up, and refuse who comes too late", async () => {
    const inTurn = createTurns(1);
    let goOn = () => {};
    const first = inTurn(() => new Promise<void>((resolve) => (goOn = resolve)));
    const ran: string[] = [];
    const work = (name: string) => async () => void ran.push(name);
    const impatient = new Deadline(60_000);
    const patient = new Deadline(60_000);
    const second = inTurn(work("second"), impatient);
    const third = inTurn(work("third"), patient);
    impatient.end("client");
    await expect(second).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(inTurn(work("late"), impatient)).rejects.toMatchObject({ code: "CANCELLED" });
    expect(ran).toEqual([]);
    goOn();
    await Promise.all([first, third]);
    // The end of a deadline after the turn has come is for the work to hear of.
    patient.end("client");
    await inTurn(work("fourth"));
    expect(ran).toEqual(["third", "fourth"]);
  });
});
