import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadline } from "./deadline.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a deadline", () => {
  it("ends at its limit, not before, with a typed reason", () => {
    const deadline = new Deadline(1_000);
    vi.advanceTimersByTime(999);
    expect(deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deadline.reason).toBe("deadline");
    expect(deadline.error()).toMatchObject({ code: "TIMEOUT", data: { reason: "deadline" } });
    expect(() => deadline.throwIfEnded()).toThrow("1000 ms");
  });

  it("reports the first cause only", () => {
    const deadline = new Deadline(1_000);
    deadline.end("client");
    deadline.end("shutdown");
    vi.advanceTimersByTime(2_000);
    expect(deadline.reason).toBe("client");
    expect(deadline.signal.reason).toMatchObject({ code: "CANCELLED" });
  });

  it("stands still while paused and goes on with what was left", () => {
    const deadline = new Deadline(1_000);
    vi.advanceTimersByTime(400);
    const resume = deadline.pause();
    const resumeAgain = deadline.pause();
    vi.advanceTimersByTime(60_000);
    resumeAgain();
    expect(deadline.remainingMs()).toBe(600);
    resume();
    resume();
    vi.advanceTimersByTime(599);
    expect(deadline.reason).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(deadline.reason).toBe("deadline");
  });

  it("does not let a pause last longer than the wall-clock cap", () => {
    const deadline = new Deadline(1_000, { wallMs: 5_000 });
    deadline.pause();
    vi.advanceTimersByTime(5_000);
    expect(deadline.reason).toBe("deadline");
  });

  it("tells each listener once, and those that come late at once", () => {
    const deadline = new Deadline(1_000);
    const told: string[] = [];
    deadline.onEnd(() => told.push("first"));
    deadline.onEnd(() => told.push("gone"))();
    deadline.end("client");
    deadline.end("client");
    deadline.onEnd(() => told.push("late"));
    expect(told).toEqual(["first", "late"]);
    expect(deadline.signal.aborted).toBe(true);
  });

  it("never ends once it is closed", () => {
    const deadline = new Deadline(1_000);
    deadline.close();
    vi.advanceTimersByTime(10_000);
    expect(deadline.reason).toBeUndefined();
  });

  it("ends nothing once it is closed: the run is over", () => {
    const deadline = new Deadline(1_000);
    const { signal } = deadline;
    deadline.close();
    deadline.end("client");
    expect(deadline.reason).toBeUndefined();
    expect(signal.aborted).toBe(false);
  });
});

describe("a child", () => {
  it("ends with its parent, and says so", () => {
    const parent = new Deadline(1_000);
    const child = parent.child(60_000);
    vi.advanceTimersByTime(1_000);
    // Both timers fall on the same moment; whichever fires first, the child is over and the parent says why.
    expect(parent.reason).toBe("deadline");
    expect(["parent", "deadline"]).toContain(child.reason);
  });

  it.each([
    ["client", "parent"],
    ["shutdown", "shutdown"],
    ["revoked", "revoked"],
  ] as const)("of a parent ended by %s ends by %s", (reason, expected) => {
    const parent = new Deadline(1_000);
    const child = parent.child(500);
    parent.end(reason);
    expect(child.reason).toBe(expected);
  });

  it("pauses its parent with it", () => {
    const parent = new Deadline(1_000);
    const resume = parent.child(500).pause();
    vi.advanceTimersByTime(30_000);
    resume();
    expect(parent.remainingMs()).toBe(1_000);
  });

  it("of a parent that is closed is over from the start", () => {
    const parent = new Deadline(1_000);
    parent.close();
    expect(parent.child(10).reason).toBe("parent");
  });

  it("of a parent that is over is over from the start", () => {
    const parent = new Deadline(1_000);
    parent.end("client");
    expect(parent.child(10).reason).toBe("parent");
  });
});
