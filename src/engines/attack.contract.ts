import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { ATTACKS } from "./attack-list.contract.ts";
import { NODE_ATTACKS } from "./attack-list-node.contract.ts";
import { done, runBody } from "./fixtures/run-body.ts";
import type { ExecutionEngine } from "./engine.ts";
import { describeReachingOut } from "./reaching-out.contract.ts";

/** After its limit a job has this long to be over. */
const LIMIT_MS = 1_000;
const GRACE_MS = 500;
/** For its sandbox, on a busy machine: that time is not the job's. */
const WAIT_MS = 15_000;

/**
 * Runs the whole table against an engine.
 *
 * @param has `node`: also what the Node API makes possible, see `attack-list-node.contract.ts`
 */
export function describeAttacks(
  name: string,
  open: () => ExecutionEngine | Promise<ExecutionEngine>,
  has: "portable" | "node" = "portable",
): void {
  describe(`${name} under attack`, () => {
    let engine: ExecutionEngine;
    beforeAll(async () => {
      engine = await open();
      done(await runBody(engine, "return 1"));
    });
    afterAll(() => engine.close());

    const attacks = has === "node" ? [...ATTACKS, ...NODE_ATTACKS] : ATTACKS;
    it.each(attacks.map((attack) => [attack.name, attack] as const))("%s", async (_, attack) => {
      const { ends, gives } = has === "node" ? { ...attack, ...attack.withNode } : attack;
      const deadline = new Deadline(WAIT_MS);
      const startedAt = watchStart(deadline);
      const end = await runBody(engine, attack.code, { deadline, runMs: LIMIT_MS });
      const tookMs = performance.now() - startedAt();
      deadline.close();
      const how = end.state === "done" ? "done" : end.code;
      expect(ends, `it ended with ${how}: ${JSON.stringify(end).slice(0, 300)}`).toContain(how);
      expect(tookMs).toBeLessThan(LIMIT_MS + GRACE_MS);
      if (end.state === "failed") expect(end.message).not.toBe("");
      else if (gives !== undefined) expect(JSON.parse(end.resultJson)).toEqual(gives);
      expect(end.logs.reduce((bytes, line) => bytes + line.text.length, 0)).toBeLessThanOrEqual(10_000);

      const next = done(await runBody(engine, "return args.n + 1", { args: { n: 1 } }));
      expect(next.resultJson).toBe("2");
    });

    if (has === "node") describeReachingOut(() => engine);
  });
}

/** @returns when the job was given its own time, which is when a sandbox began with it; at first: now */
function watchStart(deadline: Deadline): () => number {
  let startedAt = performance.now();
  const child = deadline.child.bind(deadline);
  deadline.child = (limitMs) => {
    startedAt = performance.now();
    return child(limitMs);
  };
  return () => startedAt;
}
