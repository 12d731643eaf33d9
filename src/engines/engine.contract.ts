import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deadline, type EndReason } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { HostCalls } from "../core/source.ts";
import { NO_ACCESS, type ExecutionEngine } from "./engine.ts";
import { done, failed, runBody, type RunOptions } from "./fixtures/run-body.ts";
import { describeNodeApi } from "./node-api.contract.ts";
import { describePortableProfile } from "./portable-profile.contract.ts";

const TOOLS = { ...NO_ACCESS, callTools: true };

/**
 * What every engine promises, whatever it is made of.
 *
 * @param has `portable`: the portable profile alone; `node`: the Node API beside it, see `node-api.contract.ts`
 */
export function describeEngineContract(
  name: string,
  open: () => ExecutionEngine | Promise<ExecutionEngine>,
  has: "portable" | "node" = "portable",
): void {
  describe(`${name} keeps the promises of an engine`, () => {
    let engine: ExecutionEngine;
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine.close());

    const result = async (code: string, options: RunOptions = {}): Promise<unknown> =>
      JSON.parse(done(await runBody(engine, code, options)).resultJson);
    const failure = async (code: string, options: RunOptions = {}) => failed(await runBody(engine, code, options));

    describe("what goes in and comes out", () => {
      it("gives back what the body returns", async () => {
        const body = "const { text } = args; return { upper: String(text).toUpperCase() };";
        expect(await result(body, { args: { text: "grüße 🎉" } })).toEqual({ upper: "GRÜSSE 🎉" });
      });

      it("gives null for undefined", async () => {
        expect(await result("")).toBeNull();
        expect(await result("return undefined")).toBeNull();
      });

      it.each([
        ["lone surrogates, NUL and separators", { s: '\u0000\ud800\u2028é漢🎉\\"' }],
        ["numbers at their edges", [0, -1.5, 1e308, 5e-324, 2 ** 53, 1 / 3]],
        ["nothing much", [null, true, false, "", {}, []]],
      ])("carries %s both ways unchanged", async (_, value) => {
        expect(await result("return args.value", { args: { value } })).toEqual(value);
      });

      it("keeps __proto__ and constructor as plain keys", async () => {
        const argsJson = '{"__proto__":{"x":1},"constructor":{"prototype":2}}';
        const end = done(await runBody(engine, "return { same: args, own: Object.keys(args) }", { argsJson }));
        expect(end.resultJson).toBe(`{"same":${argsJson},"own":["__proto__","constructor"]}`);
      });

      it("writes dates as JSON does", async () => {
        expect(await result("return { at: new Date(0) }")).toEqual({ at: "1970-01-01T00:00:00.000Z" });
      });

      it("runs TypeScript and reports positions of the source", async () => {
        const code = "interface A { n: number }\nconst a = args as A;\nreturn <number>(null as any).x;".replace(
          "<number>",
          "",
        );
        expect(await result("const f = (n: number): number => n * 2; return f(args.n as number)", { language: "ts", args: { n: 21 } })).toBe(42); // prettier-ignore
        expect(await failure(code, { language: "ts" })).toMatchObject({ code: "CODE_THREW", line: 3 });
      });

      it("carries a megabyte each way", async () => {
        const text = "x".repeat(1_000_000);
        expect(await result("return { text: args.text }", { args: { text } })).toEqual({ text });
      });

      it.each([
        ["a BigInt", "return { a: [1n] }", "$.a[0]"],
        ["a cycle", "const a = { b: {} }; a.b.c = a; return a", "$.b.c"],
        ["a function", "return { a: { f() {} } }", "$.a.f"],
        ["a symbol", "return [Symbol('s')]", "$[0]"],
        ["an unawaited promise", "return { 'odd key': Promise.resolve(1) }", '$["odd key"]'],
        ["a Map", "return { m: new Map([[1, 2]]) }", "$.m"],
        ["a function itself", "return () => 1", "$"],
      ])("refuses %s in a result and says where", async (_, code, place) => {
        const end = await failure(code);
        expect(end.code).toBe("RESULT_NOT_JSON");
        expect(end.message.startsWith(`${place} `)).toBe(true);
      });

      it("lets the same object stand in a result twice", async () => {
        expect(await result("const a = { n: 1 }; return { a, b: a }")).toEqual({ a: { n: 1 }, b: { n: 1 } });
      });

      it("takes results up to the limit and refuses larger ones whole [engine-limits-whole]", async () => {
        const code = "return 'x'.repeat(args.n)";
        const limits = { resultBytes: 1_000 };
        expect(await result(code, { limits, args: { n: 998 } })).toHaveLength(998);
        expect(await failure(code, { limits, args: { n: 999 } })).toMatchObject({ code: "TOO_LARGE" });
      });

      it("takes results nested as deeply as the limit and refuses deeper ones", async () => {
        const code = "let a = []; for (let i = 1; i < args.depth; i++) a = [a]; return a";
        expect(await result(`${code}.flat(Infinity)`, { args: { depth: 10 } })).toEqual([]);
        expect(JSON.stringify(await result(code, { args: { depth: 1_000 } }))).toHaveLength(2_000);
        expect(await failure(code, { args: { depth: 1_001 } })).toMatchObject({ code: "CODE_THREW" });
      });

      it("counts bytes, not characters", async () => {
        expect(await failure("return 'é'.repeat(500)", { limits: { resultBytes: 1_000 } })).toMatchObject({ code: "TOO_LARGE" }); // prettier-ignore
      });

      it("takes arguments up to the limit and refuses larger ones", async () => {
        const limits = { argsBytes: 100 };
        const json = (n: number) => JSON.stringify({ s: "x".repeat(n - 8) });
        expect(json(100)).toHaveLength(100);
        expect(await result("return 1", { limits, argsJson: json(100) })).toBe(1);
        expect(await failure("return 1", { limits, argsJson: json(101) })).toMatchObject({ code: "TOO_LARGE" });
      });
    });

    describe("what is thrown", () => {
      it("comes with name, message and the author's own line and column", async () => {
        const end = await failure("const a = 1;\n\n  throw new RangeError('too far');");
        expect(end).toMatchObject({ code: "CODE_THREW", errorName: "RangeError", message: "too far", line: 3 });
      });

      it("is located where it happened, also in a function called later", async () => {
        const code = "const f = () => {\n  return args.nothing.here;\n};\nawait null;\nreturn f();";
        expect(await failure(code)).toMatchObject({ code: "CODE_THREW", errorName: "TypeError", line: 2 });
      });

      it.each(["'text'", "42", "{ reason: 'x' }", "null", "undefined", "Symbol('s')", "() => 1"])(
        "may be %s",
        async (what) => {
          const end = await failure(`throw ${what}`);
          expect(end.code).toBe("CODE_THREW");
          expect(end.message).not.toBe("");
        },
      );

      it("has its message bounded", async () => {
        const end = await failure("throw new Error('x'.repeat(1e6))");
        expect(end.message.length).toBeLessThan(5_000);
      });

      it("cannot throw again while it is described", async () => {
        const code =
          "const e = new Error('m'); Object.defineProperty(e, 'stack', { get() { throw 1 } }); " +
          "Object.defineProperty(e, 'name', { get() { throw 2 } }); throw e";
        expect(await failure(code)).toMatchObject({ code: "CODE_THREW" });
      });

      const missing = has === "portable" ? ["process", "require('fs')", "Buffer.from('')"] : [];
      it.each([...missing, "fetch('http://localhost')", "tools.call('x')", "new WebSocket('ws://x')"])(
        "%s says what to do instead",
        async (use) => {
          const end = await failure(`return ${use}`);
          expect(end).toMatchObject({ code: "CODE_THREW", errorName: "ReferenceError" });
          expect(end.message.length).toBeGreaterThan(60);
        },
      );

      it("leaves typeof of what is missing at undefined", async () => {
        const names = ["fetch", "tools", "secrets", ...(has === "portable" ? ["process", "require", "Buffer"] : [])];
        const types = await result(`return [${names.map((each) => `typeof ${each}`).join()}]`);
        expect(types).toEqual(names.map(() => "undefined"));
      });
    });

    describe("console", () => {
      it("is captured with levels, apart from the result", async () => {
        const code =
          "console.log('a', { b: [1, 'x'] }); console.error(new Error('e')); console.warn('%s is %d', 'n', 1); " +
          "console.info(undefined, null); console.debug(new Map([['k', 1]])); return 1";
        expect(done(await runBody(engine, code))).toMatchObject({
          resultJson: "1",
          logs: [
            { level: "log", text: 'a { b: [1, "x"] }' },
            { level: "error", text: "Error: e" },
            { level: "warn", text: "n is 1" },
            { level: "info", text: "undefined null" },
            { level: "debug", text: 'Map(1) { "k" => 1 }' },
          ],
        });
      });

      it("is cut at its limit, and says how much was dropped", async () => {
        const end = done(
          await runBody(engine, "for (let i = 0; i < 100; i++) console.log('x'.repeat(100))", {
            limits: { logBytes: 500 },
          }),
        );
        expect(end.logs.map((line) => line.text).join("").length).toBeLessThanOrEqual(500);
        expect(end.logBytesDropped).toBeGreaterThan(9_000);
      });

      it("comes back with a failure too", async () => {
        const end = await failure("console.log('before'); await null; throw new Error('x')");
        expect(end.logs).toEqual([{ level: "log", text: "before" }]);
      });
    });

    describePortableProfile(result);

    describe("a seed", () => {
      const code =
        "return [Math.random(), crypto.randomUUID(), Math.random(), [...crypto.getRandomValues(new Uint8Array(4))]]";
      it("gives the same randomness again, and another seed another", async () => {
        const first = await result(code, { seed: "a" });
        expect(await result(code, { seed: "a" })).toEqual(first);
        expect(await result(code, { seed: "b" })).not.toEqual(first);
      });

      it("does not make time: that starts where the job says", async () => {
        const startedAtMs = Date.UTC(2001, 1, 3);
        const [now, iso] = (await result("return [Date.now(), new Date().toISOString()]", { startedAtMs })) as [number, string]; // prettier-ignore
        expect(now - startedAtMs).toBeGreaterThanOrEqual(0);
        expect(now - startedAtMs).toBeLessThan(5_000);
        expect(iso.startsWith("2001-02-03")).toBe(true);
      });
    });

    describe("host calls", () => {
      const echo: HostCalls = { call: async (method, payload, step) => ({ method, payload, step }) };

      it("are numbered in the order in which the code makes them", async () => {
        const code = "const a = tools.call('x', { n: 1 }); const b = tools.call('y'); return [await a, await b]";
        expect(await result(code, { host: echo, may: TOOLS })).toEqual([
          { method: "tools.call", payload: { name: "x", args: { n: 1 } }, step: 0 },
          { method: "tools.call", payload: { name: "y", args: {} }, step: 1 },
        ]);
      });

      it("that are refused reject with the code, and a fault of ours tells nothing of itself", async () => {
        const host: HostCalls = {
          call: async (_, payload) => {
            if ((payload as { name: string }).name === "x") throw new DynamicMcpError("RATE_LIMITED", "slower", { data: { retryAfterMs: 5 } }); // prettier-ignore
            throw new Error("password is secret");
          },
        };
        const code =
          "const all = await Promise.allSettled([tools.call('x'), tools.call('y')]); " +
          "return all.map(({ reason: r }) => [r.name, r.code, r.message, r.data])";
        expect(await result(code, { host, may: TOOLS })).toEqual([
          ["ToolError", "RATE_LIMITED", "slower", { retryAfterMs: 5 }],
          ["ToolError", "INTERNAL", "the call failed inside the server", {}],
        ]);
      });

      it("are bounded, open at once and in all", async () => {
        const limits = { hostCalls: { open: 2, total: 3 } };
        const code =
          "const all = await Promise.allSettled([1, 2, 3].map((n) => tools.call('x', { n }))); " +
          "const more = await Promise.allSettled([tools.call('x')].concat(tools.call('x'))); " +
          "return [...all, ...more].map((r) => r.status === 'fulfilled')";
        expect(await result(code, { host: echo, limits, may: TOOLS })).toEqual([true, true, false, true, false]);
      });

      it("whose arguments are nested too deeply are refused, and the code goes on", async () => {
        const code =
          "let a = {}; for (let i = 0; i < 1_100; i++) a = { a }; " +
          "try { await tools.call('x', a) } catch (e) { return [e.code, await tools.call('x')] }";
        expect(await result(code, { host: echo, may: TOOLS })).toMatchObject(["TOO_LARGE", { step: 0 }]);
      });

      it("that nest deeper than there are processes do not starve each other", async () => {
        const host = (left: number): HostCalls => ({
          call: async () => {
            if (left === 0) return "bottom";
            const end = await runBody(engine, "return tools.call('deeper')", { host: host(left - 1), depth: 7 - left, may: TOOLS, timeoutMs: 15_000 }); // prettier-ignore
            return JSON.parse(done(end).resultJson) as Json;
          },
        });
        expect(await result("return tools.call('deeper')", { host: host(6), may: TOOLS, timeoutMs: 15_000 })).toBe("bottom"); // prettier-ignore
      });
    });

    describe("an end from outside", () => {
      const bodies = [
        ["computes", "for (;;);"],
        ["waits for a timer", "await new Promise((r) => setTimeout(r, 60_000))"],
        ["spins in promises", "for (;;) await null"],
        ["waits for a call", "await tools.call('never')"],
      ] as const;
      const never: HostCalls = { call: () => new Promise<never>(() => {}) };
      const reasons: [EndReason, string][] = [
        ["client", "CANCELLED"],
        ["shutdown", "SHUTTING_DOWN"],
        ["revoked", "FORBIDDEN"],
      ];

      for (const [what, code] of bodies) {
        it.each(reasons)(`stops a body that ${what}: %s`, async (reason, expected) => {
          const deadline = new Deadline(30_000);
          setTimeout(() => deadline.end(reason), 30);
          const startedAt = performance.now();
          const end = await failure(code, { deadline, host: never, may: TOOLS });
          expect(end.code).toBe(expected);
          expect(performance.now() - startedAt).toBeLessThan(30 + 500);
          expect(await result("return 1")).toBe(1);
        });

        it(`stops a body that ${what} at its deadline`, async () => {
          const startedAt = performance.now();
          const end = await failure(code, { timeoutMs: 150, host: never, may: TOOLS });
          expect(end.code).toBe("TIMEOUT");
          expect(performance.now() - startedAt).toBeLessThan(150 + 500);
        });
      }

      it("stops a body at its own limit within the call's", async () => {
        const end = await failure("for (;;) await null", { runMs: 150, timeoutMs: 10_000 });
        expect(end).toMatchObject({ code: "TIMEOUT", message: "stopped at the time limit of 150 ms" });
        expect(end.wallMs).toBeLessThan(5_000);
      });

      it("does not start what has ended already", async () => {
        const deadline = new Deadline(1_000);
        deadline.end("client");
        expect(await failure("return 1", { deadline })).toMatchObject({ code: "CANCELLED" });
      });

      it("ends a child with its parent", async () => {
        const parent = new Deadline(30_000);
        const deadline = parent.child(30_000);
        setTimeout(() => parent.end("deadline"), 30);
        expect(await failure("for (;;) await null", { deadline })).toMatchObject({ code: "PARENT_ENDED" });
      });
    });

    if (has === "node") describeNodeApi(() => engine);

    it("finds at once that nothing can settle the code's promise", async () => {
      const startedAt = performance.now();
      expect(await failure("await new Promise(() => {})")).toMatchObject({ code: "NEVER_SETTLES" });
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    });

    it("keeps nothing from one job to the next", async () => {
      await result(
        "globalThis.left = 1; Array.prototype.left = 2; JSON.parse = null; Object.prototype.x = 3; return 1",
      );
      const look = "return [typeof left, typeof [].left, typeof JSON.parse, typeof ({}).x]";
      for (let i = 0; i < 5; i++)
        expect(await result(look)).toEqual(["undefined", "undefined", "function", "undefined"]);
    });

    it("runs fifty jobs at once, each with its own arguments", async () => {
      const all = await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          result("await null; return args.n * 2", { args: { n }, timeoutMs: 15_000 }),
        ),
      );
      expect(all).toEqual(Array.from({ length: 50 }, (_, n) => n * 2));
    });

    it("says that it is there and what it is worth", async () => {
      const health = await engine.probe();
      expect(health).toMatchObject({ name: engine.name, isAvailable: true });
      expect(health.level).not.toBe("");
    });
  });

  describe(`${name} when it is closed`, () => {
    it("ends what runs and what waits, and takes no more", async () => {
      const engine = await open();
      const running = Array.from({ length: 6 }, () => runBody(engine, "for (;;);", { timeoutMs: 30_000 }));
      await runBodyOnceStarted(engine);
      await engine.close();
      for (const end of await Promise.all(running)) expect(failed(end).code).toBe("SHUTTING_DOWN");
      expect(failed(await runBody(engine, "return 1")).code).toBe("SHUTTING_DOWN");
      await engine.close();
    });
  });
}

/** Long enough for the first bodies to be on their way; whichever state they are in, closing must end them. */
async function runBodyOnceStarted(engine: ExecutionEngine): Promise<void> {
  const deadline = new Deadline(120);
  await runBody(engine, "for (;;);", { deadline });
}
