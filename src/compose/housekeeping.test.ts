import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SILENT } from "../core/source.ts";
import { keepHouse } from "./housekeeping.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 0, 31);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function house(prune: (before: string) => Promise<number>) {
  const pruned: string[] = [];
  const calls = { append: async () => {}, recent: async () => [], prune: async (before: string) => (pruned.push(before), prune(before)) }; // prettier-ignore
  const kept: number[] = [];
  const signals = { add: async () => {}, recent: async () => [], prune: async (keep: number) => void kept.push(keep) };
  let results = 0;
  const stop = keepHouse({
    store: { calls, signals },
    results: { prune: async () => ++results },
    retentionDays: 30,
    log: SILENT,
    now: () => NOW,
  });
  return { pruned, stop, others: () => ({ signals: kept.length, results }) };
}

describe("housekeeping", () => {
  it("deletes what is older than the retention, a minute after start and then every hour, until it is stopped", async () => {
    const { pruned, stop } = house(async () => 0);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(pruned).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(pruned).toEqual([new Date(NOW - 30 * DAY_MS).toISOString()]);
    await vi.advanceTimersByTimeAsync(2 * 3_600_000);
    expect(pruned).toHaveLength(3);
    stop();
    await vi.advanceTimersByTimeAsync(2 * 3_600_000);
    expect(pruned).toHaveLength(3);
  });

  it("goes on after a store that could not be written", async () => {
    const { pruned, stop, others } = house(() => Promise.reject(new Error("locked")));
    await vi.advanceTimersByTimeAsync(60_000 + 3_600_000);
    expect(pruned).toHaveLength(2);
    // What failed kept nothing else from being done.
    expect(others()).toEqual({ signals: 2, results: 2 });
    stop();
  });
});
