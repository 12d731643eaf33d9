import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ATTACKS } from "./attack-list.contract.ts";
import { NODE_ATTACKS } from "./attack-list-node.contract.ts";
import { done, runBody } from "./fixtures/run-body.ts";
import type { ExecutionEngine } from "./engine.ts";
import { describeReachingOut } from "./reaching-out.contract.ts";

/** After its limit a job has this long to be over. */
const LIMIT_MS = 1_000;
const GRACE_MS = 500;

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
      const startedAt = performance.now();
      const end = await runBody(engine, attack.code, { timeoutMs: LIMIT_MS });
      const tookMs = performance.now() - startedAt;
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
