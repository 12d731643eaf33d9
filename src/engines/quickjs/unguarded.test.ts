import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, it } from "vitest";
import loadEmscripten from "@jitl/quickjs-wasmfile-release-sync/emscripten-module";
import type { QuickJs } from "./quickjs-build.ts";
import { QuickJSFFI } from "@jitl/quickjs-wasmfile-release-sync/ffi";

/**
 * The other half of the attack table: the same interpreter without our guards, where it is safe to try. What these
 * bodies do here is what the guards stop.
 */

interface Bare {
  evaluate(code: string): string;
  memoryMiB(): number;
  interrupts(): number;
}

const MIB = 1024 * 1024;
let wasm: WebAssembly.Module;

beforeAll(() => {
  const file = createRequire(import.meta.url).resolve("@jitl/quickjs-wasmfile-release-sync/wasm");
  wasm = new WebAssembly.Module(new Uint8Array(readFileSync(file)));
});

async function bare(guards: { maxPages: number; interruptAfter?: number }): Promise<Bare> {
  const memory = new WebAssembly.Memory({ initial: 256, maximum: guards.maxPages });
  let interrupts = 0;
  const instantiateWasm = (imports: object, onSuccess: (instance: WebAssembly.Instance) => void) => {
    const instance = new WebAssembly.Instance(wasm, imports);
    onSuccess(instance);
    return instance.exports;
  };
  type Load = (options: object) => Promise<{
    _malloc(bytes: number): number;
    HEAPU8: Uint8Array;
    UTF8ToString(at: number): string;
    callbacks: object;
  }>;
  const module = await (loadEmscripten as unknown as Load)({ wasmMemory: memory, instantiateWasm });
  module.callbacks = {
    callFunction: () => 0,
    freeHostRef() {},
    shouldInterrupt: () => (++interrupts > (guards.interruptAfter ?? Infinity) ? 1 : 0),
  };
  const c = new QuickJSFFI(module as unknown as ConstructorParameters<typeof QuickJSFFI>[0]) as unknown as QuickJs;
  const runtime = c.QTS_NewRuntime();
  c.QTS_RuntimeEnableInterruptHandler(runtime);
  const context = c.QTS_NewContext(runtime, 0);
  return {
    interrupts: () => interrupts,
    memoryMiB: () => memory.buffer.byteLength / MIB,
    evaluate(code) {
      const bytes = Buffer.from(`${code}\0`);
      const at = module._malloc(bytes.length);
      module.HEAPU8.set(bytes, at);
      const value = c.QTS_Eval(context, at, bytes.length - 1, "bare", 0, 0);
      const thrown = c.QTS_ResolveException(context, value);
      return module.UTF8ToString(c.QTS_GetString(context, thrown === 0 ? value : thrown));
    },
  };
}

describe("without a guard the attack works:", () => {
  it("memory without a cap grows as far as the code likes, with one it does not", async () => {
    const greedy = "const a = []; for (let i = 0; i < 150; i++) a.push(new ArrayBuffer(1024 * 1024)); a.length";
    const free = await bare({ maxPages: 8_192 });
    expect(free.evaluate(greedy)).toBe("150");
    expect(free.memoryMiB()).toBeGreaterThan(150);

    const capped = await bare({ maxPages: (80 * MIB) / 65_536 });
    expect(capped.evaluate(greedy)).toContain("out of memory");
    expect(capped.memoryMiB()).toBeLessThanOrEqual(80);
  });

  it("a loop without an interrupt handler runs to its end, with one it is stopped", async () => {
    const long = "let n = 0; for (let i = 0; i < 5e6; i++) n++; n";
    const free = await bare({ maxPages: 512 });
    expect(free.evaluate(long)).toBe("5000000");
    expect(free.interrupts()).toBeGreaterThan(100);

    const stopped = await bare({ maxPages: 512, interruptAfter: 10 });
    expect(stopped.evaluate(long)).toContain("interrupted");
  });

  it("a result written with the guest's own JSON is whatever the guest says", async () => {
    const forge = "JSON.stringify = () => '{\"forged\":1}'; JSON.stringify({ real: 1 })";
    expect((await bare({ maxPages: 512 })).evaluate(forge)).toBe('{"forged":1}');
  });

  it("one context for two jobs lets the first change the second", async () => {
    const shared = await bare({ maxPages: 512 });
    shared.evaluate("Array.prototype.map = () => ['from the job before']");
    expect(shared.evaluate("[1].map((n) => n)[0]")).toBe("from the job before");
  });

  it("a body that is pasted into a function can close it and run outside", async () => {
    const body = "} globalThis.outside = 1; async function x() {";
    expect((await bare({ maxPages: 512 })).evaluate(`async function run() {${body}}; String(outside)`)).toBe("1");
  });
});
