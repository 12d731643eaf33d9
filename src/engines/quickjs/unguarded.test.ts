import { describe, expect, it } from "vitest";
import { loadBareQuickJs as bare } from "./fixtures/bare-quickjs.ts";

/**
 * The other half of the attack table: the same interpreter without our guards, where it is safe to try. What these
 * bodies do here is what the guards stop.
 */

const MIB = 1024 * 1024;

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
