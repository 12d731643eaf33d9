/** The quickjs engine alone, beside which the whole line is measured. */
import { createQuickjsEngine } from "../../src/engines/quickjs/quickjs-engine.ts";
import { runBody } from "./jobs.ts";
import { p50 } from "./timing.ts";

/**
 * Runs the body so many times, one after the other, and gives the p50 in ms.
 *
 * @param between happens before each run and is not timed. A sandbox that rests between jobs wakes up more slowly than
 *   one that is asked again at once (0.34 ms against 0.18 after 0.3 ms of rest), so comparisons have to keep the pace.
 */
type TimeRun = (runs: number, between?: () => Promise<unknown>) => Promise<number>;

export async function withBareEngine<T>(js: string, use: (timeRun: TimeRun) => Promise<T>) {
  const engine = createQuickjsEngine();
  let turn = 0;
  async function runOnce(): Promise<void> {
    const text = `call ${turn++} says "hé" \\o/`;
    const resultJson = await runBody(engine, js, JSON.stringify({ text }));
    if (!resultJson.includes(JSON.stringify(text))) throw new Error(`wrong answer: ${resultJson.slice(0, 300)}`);
  }
  try {
    return await use((runs, between) => p50(runs, runOnce, between));
  } finally {
    await engine.close();
  }
}
