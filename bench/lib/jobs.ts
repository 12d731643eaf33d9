/** Bodies run by an engine alone, without the line, the store and the protocol around it. */
import { createHash } from "node:crypto";
import { Deadline } from "../../src/core/deadline.ts";
import { type ExecutionEngine, NO_ACCESS } from "../../src/engines/engine.ts";
import { p50 } from "./timing.ts";

/** The body of the measurements: a little text in, a little out. */
const UPPER = "const { text } = args; return { upper: String(text).toUpperCase() };";
const SMALL = JSON.stringify({ text: "hé" });

/** The same of another tool. */
export const upperOf = (tool: number) => `${UPPER} // tool ${tool}`;

const HOST_CALLS = 200;
const CALL_TOOLS = "for (let at = 0; at < args.times; at++) await tools.call('x', { at }); return args.times";
const ANSWERS_AT_ONCE = { call: async () => 1 };

/**
 * @param hostCalls how many it may make; each is answered at once
 * @returns JSON text of what the body returned
 * @throws Error when it failed
 */
export async function runBody(engine: ExecutionEngine, js = UPPER, argsJson = SMALL, hostCalls = 0): Promise<string> {
  const deadline = new Deadline(60_000);
  try {
    const end = await engine.run(
      {
        program: { js, digest: createHash("sha256").update(js).digest("hex"), name: "bench" },
        argsJson,
        limits: {
          ...{ memoryMiB: 64, argsBytes: 4e6, resultBytes: 4e6, logBytes: 0 },
          hostCalls: { open: Math.min(1, hostCalls), total: hostCalls },
        },
        seed: "bench",
        startedAtMs: Date.now(),
        may: { ...NO_ACCESS, callTools: hostCalls > 0 },
        depth: 0,
        scope: "bench",
      },
      ANSWERS_AT_ONCE,
      deadline,
    );
    if (end.state !== "done") throw new Error(`${end.code}: ${end.message}`);
    return end.resultJson;
  } finally {
    deadline.close();
  }
}

/**
 * One call to the host and back, in ms: what a job with many of them takes longer than one without, by their number.
 *
 * @param before each job: see `p50`
 */
export async function hostCallMs(
  engine: ExecutionEngine,
  jobs: number,
  before?: () => Promise<unknown>,
): Promise<number> {
  const job = (times: number) => () => runBody(engine, CALL_TOOLS, JSON.stringify({ times }), HOST_CALLS);
  const without = await p50(jobs, job(0), before);
  return ((await p50(jobs, job(HOST_CALLS), before)) - without) / HOST_CALLS;
}
