/** The engine alone, without the line, the store and the protocol around it. */
import { createHash } from "node:crypto";
import { Deadline } from "../../src/core/deadline.ts";
import { type Job, NO_ACCESS } from "../../src/engines/engine.ts";
import { createQuickjsEngine } from "../../src/engines/quickjs/quickjs-engine.ts";
import { median } from "./rounds.ts";

const LIMITS = {
  ...{ memoryMiB: 64, argsBytes: 1 << 20, resultBytes: 1 << 20, logBytes: 1 << 16 },
  hostCalls: { open: 1, total: 1 },
};
const NO_HOST = { call: () => Promise.reject(new Error("this body calls nobody")) };

/**
 * Runs `js` so many times, one after the other, and gives the p50 in ms.
 *
 * @param between happens before each run and is not timed. A sandbox that rests between jobs wakes up more slowly than
 *   one that is asked again at once (0.34 ms against 0.18 after 0.3 ms of rest), so comparisons have to keep the pace.
 */
type TimeRun = (runs: number, between?: () => Promise<unknown>) => Promise<number>;

export async function withBareEngine<T>(js: string, use: (timeRun: TimeRun) => Promise<T>) {
  const engine = createQuickjsEngine();
  const program = { js, digest: createHash("sha256").update(js).digest("hex"), name: "bench" };

  async function runOnce(turn: number): Promise<number> {
    const text = `call ${turn} says "hé" \\o/`;
    const job: Job = {
      ...{ program, argsJson: JSON.stringify({ text }), limits: LIMITS },
      ...{ seed: String(turn), startedAtMs: Date.now(), may: NO_ACCESS, scope: "bench" },
    };
    const deadline = new Deadline(30_000);
    const startedAt = performance.now();
    const end = await engine.run(job, NO_HOST, deadline);
    const took = performance.now() - startedAt;
    deadline.close();
    if (end.state !== "done" || !end.resultJson.includes(JSON.stringify(text))) {
      throw new Error(`wrong answer: ${JSON.stringify(end).slice(0, 300)}`);
    }
    return took;
  }

  try {
    return await use(async (runs, between) => {
      const took: number[] = [];
      for (let turn = 0; turn < runs; turn++) {
        await between?.();
        took.push(await runOnce(turn));
      }
      return median(took);
    });
  } finally {
    await engine.close();
  }
}
