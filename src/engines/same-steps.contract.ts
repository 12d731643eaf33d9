import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Json } from "../core/json.ts";
import type { HostCalls } from "../core/source.ts";
import { NO_ACCESS, type ExecutionEngine } from "./engine.ts";
import { runBody } from "./fixtures/run-body.ts";

type Open = () => ExecutionEngine | Promise<ExecutionEngine>;

/** Programs that make calls in every way that code has, and answers that come in another order than they were asked. */
const PROGRAMS: readonly (readonly [string, string])[] = [
  ["one after the other", "const o = []; for (let i = 0; i < 5; i++) o.push(await tools.call('t', { i })); return o"],
  ["all at once", "return Promise.all([0, 1, 2, 3, 4].map((i) => tools.call('t', { i })))"],
  ["each after its own", "return Promise.all([0, 1, 2].map(async (i) => { const a = await tools.call('t', { i }); return tools.call('t', { a, i }) }))"], // prettier-ignore
  ["as the dice fall", "const o = []; for (let i = 0; i < 6; i++) if (Math.random() < 0.5) o.push(await tools.call('t', { i, r: Math.random() })); return o"], // prettier-ignore
  ["named by chance", "return tools.call('t', { id: crypto.randomUUID(), bytes: [...crypto.getRandomValues(new Uint8Array(9))] })"], // prettier-ignore
  ["the first that answers", "const first = await Promise.race([0, 1, 2].map((i) => tools.call('t', { i, ms: 300 - 100 * i }))); return [first, await tools.call('t', { first })]"], // prettier-ignore
  ["some that are refused", "const all = await Promise.allSettled([tools.call('refuse'), tools.call('t', {}), tools.call('refuse', { n: 1 })]); return all.map((a) => a.value ?? [a.reason.name, a.reason.code, a.reason.message])"], // prettier-ignore
  ["more than there may be", "const all = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => tools.call('t', { i }))); return all.map((a) => a.value ?? a.reason.message)"], // prettier-ignore
  ["and then it throws", "console.log('a'); await tools.call('t', {});\nthrow new TypeError('after ' + Math.random())"],
  ["what it was told twice", "const a = await tools.call('t', { x: [1, { y: null }], u: undefined, s: '\\ud800\\u0000' }); return [a, await tools.call('t', a)]"], // prettier-ignore
];

/** The same job with the same seed and answers makes the same calls in the same order on two engines, and ends alike. */
export function describeSameSteps(name: string, open: Open, otherName: string, openOther: Open): void {
  describe(`${name} and ${otherName} take the same steps`, () => {
    let engines: readonly [ExecutionEngine, ExecutionEngine];
    beforeAll(async () => {
      engines = [await open(), await openOther()];
    });
    afterAll(() => Promise.all(engines.map((engine) => engine.close())));

    it.each(PROGRAMS)("%s [engine-same-steps]", async (_, code) => {
      for (const seed of ["one", "another"]) {
        const [first, second] = await Promise.all(engines.map((engine) => trace(engine, code, seed)));
        expect(first?.steps.length).toBeGreaterThan(0);
        expect(second).toEqual(first);
      }
    });
  });
}

async function trace(engine: ExecutionEngine, code: string, seed: string) {
  const steps: Json[] = [];
  const host: HostCalls = {
    async call(method, payload, step) {
      steps.push([step, method, payload]);
      const { name, args } = payload as { name: string; args: { ms?: number } };
      if (name === "refuse") throw new Error("not for you");
      await new Promise((resolve) => setTimeout(resolve, args.ms ?? 0));
      return [step, args] as Json;
    },
  };
  const end = await runBody(engine, code, { seed, host, may: { ...NO_ACCESS, callTools: true }, timeoutMs: 15_000 });
  const { wallMs: _, ...ended } = end;
  // Where in the line an error was is an engine's own way of counting.
  if ("column" in ended) delete ended.column;
  return { steps, ended };
}
