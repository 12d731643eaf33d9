import { afterAll, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import type { JobEnd } from "../engine.ts";
import { jobOf } from "./fixtures/jobs.ts";
import { createQuickjsEngine } from "./quickjs-engine.ts";

describe("one sandbox for many jobs", () => {
  const engine = createQuickjsEngine({ maxProcesses: 1, maxChildren: 1 });
  afterAll(() => engine.close());

  async function run(js: string): Promise<JobEnd> {
    const deadline = new Deadline(10_000);
    try {
      return await engine.run(...jobOf(js), deadline);
    } finally {
      deadline.close();
    }
  }
  async function pids(): Promise<number[]> {
    const { detail } = await engine.probe();
    const processes = (detail?.["processes"] ?? []) as { pid: number }[];
    return processes.map(({ pid }) => pid);
  }

  // Long enough to look outside now and then, and around the size from which memory is given back.
  it.each([10_000, 20_000, 30_000, 40_000])(
    "is fine for jobs with %i promises, one after the other",
    async (length) => {
      const code = `return (await Promise.allSettled(Array.from({ length: ${length} }, async (_, i) => { await 1; return i }))).length`; // prettier-ignore
      const before = await pids();
      for (let i = 0; i < 5; i++) expect(await run(code)).toMatchObject({ state: "done", resultJson: String(length) });
      expect(await pids()).toEqual(before);
    },
  );

  it("is fine for jobs of all sizes in turn, and after one that ran out of memory", async () => {
    const before = await pids();
    for (const size of [1, 60_000, 300_000, 10, 100_000, 2_000_000, 1, 30_000]) {
      const end = await run(`const a = []; for (let i = 0; i < ${size}; i++) { if (i % 100 === 0) await 1; a.push({ i }) } return a.length`); // prettier-ignore
      if (size > 1_000_000) expect(end).toMatchObject({ code: "OUT_OF_MEMORY" });
      else expect(end).toMatchObject({ state: "done", resultJson: String(size) });
    }
    expect(await pids()).toEqual(before);
  });
});
