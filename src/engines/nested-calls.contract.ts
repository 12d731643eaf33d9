import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { hasCode } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { LIMITS } from "../core/limits.ts";
import type { HostCalls } from "../core/source.ts";
import { type ExecutionEngine, NO_ACCESS } from "./engine.ts";
import { done, runBody } from "./fixtures/run-body.ts";

export interface NestedCallsOptions {
  /** Without `places` those that the engine has by default. A job waits for one for longer than a test may take. */
  open(options: { places?: number; maxWaitMs: number }): ExecutionEngine;
  /** How many jobs come at once; default 40. */
  jobs?: number;
  /** Its processes or containers that are there now. Linux only. */
  sandboxes(): number | Promise<number>;
}

const MAY = { ...NO_ACCESS, callTools: true };
const timeoutMs = 60_000;
const PARENT = "return 1 + await tools.call('child')";

/** Programs that call programs of the same engine: what they wait for finds a place, however many of them wait. */
export function describeNestedCalls(name: string, { open, sandboxes, jobs: count = 40 }: NestedCallsOptions): void {
  describe(`nested calls: ${name}`, () => {
    const opened: ExecutionEngine[] = [];
    const engineWith = (places?: number) => {
      const engine = open({ maxWaitMs: 50_000, ...(places !== undefined && { places }) });
      opened.push(engine);
      return engine;
    };
    afterEach(() => Promise.all(opened.splice(0).map((engine) => engine.close())));

    /** A program that calls one that calls none. */
    async function parent(engine: ExecutionEngine): Promise<Json> {
      const child: HostCalls = {
        call: async () => JSON.parse(done(await runBody(engine, "return 1", { depth: 1, timeoutMs })).resultJson) as Json, // prettier-ignore
      };
      return JSON.parse(done(await runBody(engine, PARENT, { may: MAY, host: child, timeoutMs })).resultJson) as Json;
    }

    const leaf = async (engine: ExecutionEngine): Promise<Json> =>
      JSON.parse(done(await runBody(engine, "return 1", { timeoutMs })).resultJson) as Json;

    /** A program that calls itself until it is so deep, and says how deep it came. */
    async function recursion(engine: ExecutionEngine, deepest: number, depth = 0): Promise<Json> {
      const host: HostCalls = { call: () => recursion(engine, deepest, depth + 1) };
      const code = depth < deepest ? "return await tools.call('self')" : "return args.depth";
      const end = await runBody(engine, code, { args: { depth }, depth, may: MAY, host, timeoutMs });
      return JSON.parse(done(end).resultJson) as Json;
    }

    it("all end when there are far more callers than places, and sandboxes never more than places", async () => {
      const engine = engineWith(8);
      let most = 0;
      let isOver = false;
      const watching = (async () => {
        for (; !isOver; await setTimeout(5)) most = Math.max(most, await sandboxes());
      })();
      const all = await Promise.all(Array.from({ length: count }, () => parent(engine))).finally(() => (isOver = true));
      expect(all).toEqual(Array<number>(count).fill(2));
      await watching;
      if (process.platform === "linux") expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(8);
    }, 60_000);

    it("and a flood of jobs that call nobody do not keep each other from ending", async () => {
      const engine = engineWith(3);
      const jobs = Array.from({ length: count }, (_, at) => (at % 4 === 0 ? parent(engine) : leaf(engine)));
      expect(await Promise.all(jobs)).toEqual(jobs.map((_, at) => (at % 4 === 0 ? 2 : 1)));
    }, 60_000);

    it("may be as deep as any call may be", async () => {
      expect(await recursion(engineWith(), LIMITS.callDepth)).toBe(LIMITS.callDepth);
    }, 60_000);

    it("are refused at once where the only place is their caller's", async () => {
      const engine = engineWith(1);
      await expect(parent(engineWith(2))).resolves.toBe(2);
      let refusal: unknown;
      const host: HostCalls = {
        async call() {
          await runBody(engine, "return 1", { depth: 1, timeoutMs }).catch((error: unknown) => (refusal = error));
          return "refused";
        },
      };
      const startedAt = performance.now();
      const end = await runBody(engine, "return await tools.call('child')", { may: MAY, host, timeoutMs });
      expect(done(end).resultJson).toBe('"refused"');
      expect(performance.now() - startedAt).toBeLessThan(15_000);
      expect(hasCode(refusal, "OVERLOADED")).toBe(true);
      expect(refusal).toMatchObject({ data: { places: 1, depth: 1 } });
      expect(await leaf(engine)).toBe(1);
    }, 60_000);
  });
}
