import { describe, expect, it } from "vitest";
import { createIds, isId } from "./ids.ts";

describe("ids", () => {
  it("sort in the order they were made, within one millisecond and when the clock goes back", () => {
    const times = [5, 5, 5, 4, 1, 6, 2 ** 48 - 1, 0];
    const nextId = createIds(() => times.shift() ?? 0);
    const ids = Array.from({ length: 8 }, nextId);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(8);
    expect(ids.every(isId)).toBe(true);
  });

  it("begin with their time", () => {
    expect(createIds(() => 1_469_918_176_385)().slice(0, 10)).toBe("01ARYZ6S41");
  });

  it("differ between makers", () => {
    expect(createIds(() => 7)()).not.toBe(createIds(() => 7)());
  });

  it("are told from other texts", () => {
    expect(["", "x", "8".repeat(26), "0".repeat(25), "I".repeat(26), "0".repeat(27)].filter(isId)).toEqual([]);
  });
});
