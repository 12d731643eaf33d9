import type { Client, Params } from "./mcp-client.ts";
import { cpuUs, HAS_PROC } from "./proc.ts";
import { median } from "./rounds.ts";

/** A tool that gives its text back, as one server names it. */
export interface Echo {
  tool: string;
  args(text: string): Params;
}

export interface Load {
  callsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** CPU time of the server's process tree per call; NaN where it cannot be measured. */
  cpuUsPerCall: number;
}

/**
 * `callers` callers, each with one call at a time, until `calls` are answered. Every answer is compared with its text.
 *
 * @param pid of the server, for its CPU time
 * @param others processes that it started and that are not counted
 * @throws Error for a wrong answer
 */
export async function loadWith(
  client: Client,
  echo: Echo,
  callers: number,
  calls: number,
  pid: number,
  others?: ReadonlySet<number>,
): Promise<Load> {
  const waits: number[] = [];
  let next = 0;
  async function caller() {
    while (next < calls) {
      const text = `call ${next++} says "hé" \\o/`;
      const sentAt = performance.now();
      const result = await client.request("tools/call", { name: echo.tool, arguments: echo.args(text) });
      waits.push(performance.now() - sentAt);
      if (!answers(result, text)) throw new Error(`wrong answer: ${JSON.stringify(result).slice(0, 300)}`);
    }
  }
  const [cpuBefore, startedAt] = [HAS_PROC ? cpuUs(pid, others) : NaN, performance.now()];
  await Promise.all(Array.from({ length: callers }, caller));
  const [tookMs, cpu] = [performance.now() - startedAt, HAS_PROC ? cpuUs(pid, others) - cpuBefore : NaN];
  return {
    callsPerSecond: (calls / tookMs) * 1000,
    p50Ms: median(waits),
    p99Ms: waits.toSorted((a, b) => a - b)[Math.ceil(waits.length * 0.99) - 1] ?? NaN,
    cpuUsPerCall: cpu / calls,
  };
}

/** Plain text, or the same as a JSON string or as the value of an object. */
function answers(result: Params, text: string): boolean {
  if (result["isError"] === true) return false;
  const [first] = (result["content"] ?? []) as { text?: string }[];
  return first?.text !== undefined && (first.text === text || first.text.includes(JSON.stringify(text)));
}
