import { describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { createGuard } from "./create-guard.ts";

function guardAt(options: { concurrency?: number; callsPerWindow?: number } = {}) {
  let at = 0;
  const guard = createGuard({ concurrency: 2, callsPerWindow: 3, windowMs: 1_000, ...options, now: () => at });
  const deadline = new Deadline(60_000);
  return {
    guard,
    admit: (principal = "local", scope = "echo", parent?: ReturnType<typeof guard.admit>) =>
      guard.admit({ principal, scope, parent, deadline }),
    pass: (ms: number) => {
      at += ms;
    },
  };
}

function refusal(act: () => unknown): DynamicMcpError {
  try {
    act();
  } catch (error) {
    if (error instanceof DynamicMcpError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("the guard's rate", () => {
  it("lets exactly the limit through and says when to come back", () => {
    const { admit, pass } = guardAt();
    for (let call = 0; call < 3; call++) admit().release();
    const { code, data } = refusal(() => admit());
    expect(code).toBe("RATE_LIMITED");
    pass(Number(data["retryAfterMs"]) - 2);
    expect(refusal(() => admit()).code).toBe("RATE_LIMITED");
    pass(3);
    admit().release();
  });

  it("counts each principal and each scope apart", () => {
    const { admit } = guardAt();
    for (let call = 0; call < 3; call++) admit().release();
    admit("other").release();
    admit("local", "second").release();
    expect(refusal(() => admit()).code).toBe("RATE_LIMITED");
  });

  it("counts scopes beyond ten thousand in one line of its report, and each by its own rate", () => {
    const { admit, guard } = guardAt({ callsPerWindow: 1 });
    for (let call = 0; call < 10_003; call++) admit("local", `tool-${call}`).release();
    const { scopes } = guard.counters();
    expect(scopes).toHaveLength(10_001);
    expect(scopes.at(-1)).toMatchObject({ scope: "(others)", allowed: 3 });
    expect(refusal(() => admit("local", "tool-10002")).code).toBe("RATE_LIMITED");
  });

  it("forgets after two quiet windows", () => {
    const { admit, pass } = guardAt();
    for (let call = 0; call < 3; call++) admit().release();
    pass(2_000);
    for (let call = 0; call < 3; call++) expect(() => admit().release()).not.toThrow();
  });
});

describe("the guard's slots", () => {
  it("refuses one too many without using up the rate", () => {
    const { admit } = guardAt();
    const first = admit();
    const second = admit();
    expect(refusal(() => admit())).toMatchObject({ code: "OVERLOADED", data: { running: 2, limit: 2 } });
    first.release();
    second.release();
    admit().release();
    expect(refusal(() => admit()).code).toBe("RATE_LIMITED");
  });

  it("lets a child run in its parent's slot", () => {
    const { admit, guard } = guardAt({ concurrency: 1 });
    const parent = admit();
    const child = admit("local", "inner", parent);
    child.release();
    expect(guard.counters().running).toBe(1);
    parent.release();
    parent.release();
    expect(guard.counters().running).toBe(0);
  });

  it("gives a parked slot to others and takes it back", () => {
    const { admit, guard } = guardAt({ concurrency: 1 });
    const parked = admit();
    const resume = parked.park();
    const other = admit("other");
    resume();
    resume();
    expect(guard.counters().running).toBe(2);
    other.release();
    parked.release();
    expect(guard.counters().running).toBe(0);
  });
});
