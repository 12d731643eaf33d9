import { beforeEach, describe, expect, it } from "vitest";
import { type BareQuickJs, loadBareQuickJs } from "./fixtures/bare-quickjs.ts";
import { copyMemory, type MemoryImage } from "./memory-image.ts";

const MARKER = "only-the-job-before-knows";
const MIB = 1024 * 1024;

describe("the memory that every job starts from", () => {
  let quickjs: BareQuickJs;
  let image: MemoryImage;
  let start: Buffer;
  beforeEach(async () => {
    quickjs = await loadBareQuickJs({ maxPages: 4_096 });
    quickjs.evaluate("globalThis.prelude = Array.from({ length: 1000 }, (_, i) => 'entry ' + i)");
    start = Buffer.from(quickjs.bytes());
    image = copyMemory(quickjs);
  });

  const fill = (bytes: number) => `const all = []; for (let i = 0; i < ${bytes / 1024}; i++) all.push(('${MARKER}' + i).repeat(38)); all.length`; // prettier-ignore

  it.each([
    ["little", "1 + 1"],
    ["a string", `globalThis.kept = '${MARKER}'.toUpperCase(); 1`],
    ["heap within the first memory", fill(2 * MIB)],
    ["heap up to about the first memory's end", fill(10 * MIB)],
    ["heap beyond it", fill(20 * MIB)],
    ["heap far beyond it", fill(60 * MIB)],
    ["one large block that it hardly touches", "const a = new Uint8Array(30e6); a[29e6] = 7; a.length"],
    ["arrays that were given back", `${fill(8 * MIB)}; all.length = 0; 1`],
    ["the stack below a frame that it hardly touches", `const deep = (n) => n === 0 ? 0 : 1 + deep(n - 1); const wide = new Function("deep", "if (deep === 0) deep(" + "1,".repeat(60_000) + "1); return deep(200)"); wide(deep)`], // prettier-ignore
    ["deep recursion", `const f = (n) => n === 0 ? 0 : 1 + f(n - 1); f(900)`],
    ["a call with many arguments", `Math.max(...Array.from({ length: 60_000 }, (_, i) => i))`],
    ["a deep pattern and a large sort", `/^(a|b|c)*d/.test('abc'.repeat(5000)); [...Array(1e5).keys()].sort((a, b) => b - a)[0]`], // prettier-ignore
  ])("is the same in every byte after a job that used %s [engine-clean-memory]", (_, code) => {
    expect(quickjs.evaluate(code)).not.toMatch(/error|out of memory/i);
    image.restore(quickjs.bytes());
    const heap = Buffer.from(quickjs.bytes().buffer);
    expect(heap.indexOf(MARKER)).toBe(-1);
    expect(heap.compare(start, 0, start.length, 0, start.length)).toBe(0);
    expect(firstNotZero(heap.subarray(start.length))).toBe(-1);
  });

  it("holds what a job left until it is restored: the test above would see it", () => {
    quickjs.evaluate(fill(2 * MIB));
    expect(Buffer.from(quickjs.bytes().buffer).indexOf(MARKER)).toBeGreaterThan(0);
  });

  it("can be put into another, new interpreter of the same build", async () => {
    const other = await loadBareQuickJs({ maxPages: 512, isEmpty: true });
    image.restore(other.bytes());
    expect(Buffer.from(other.bytes().buffer).compare(start)).toBe(0);
  });
});

function firstNotZero(bytes: Uint8Array): number {
  return bytes.findIndex((byte) => byte !== 0);
}
