import { expect, it } from "vitest";
import { backoffMs } from "../core/backoff.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { createHealth } from "./health.ts";

const gone = new DynamicMcpError("UPSTREAM_UNAVAILABLE", "gone");

function open() {
  const clock = { now: 0 };
  const health = createHealth({ now: () => clock.now, random: () => 0.5, retry: { baseMs: 100, capMs: 1_000 } });
  return { clock, health };
}

it("waits longer after each failure, up to a cap, and not at all after it worked", () => {
  const { health, clock } = open();
  const pauses = [1, 2, 3, 4, 5, 6].map(() => (health.failed(gone), health.pauseMs()));
  expect(pauses).toEqual([50, 100, 200, 400, 500, 500]);
  clock.now = 500;
  expect(health.pauseMs()).toBe(0);
  expect(health.problem).toBe(gone);
  health.worked();
  expect(health.problem).toBeUndefined();
  expect(health.pauseMs()).toBe(0);
});

it("tells of an outage what went wrong first, and waits longer though connections that are of no use are made", () => {
  const { health } = open();
  health.failed(gone);
  health.connected();
  expect([health.problem, health.outage, health.pauseMs()]).toEqual([undefined, gone, 0]);
  health.failed(new DynamicMcpError("TIMEOUT", "later, in other words"));
  expect([health.problem?.message, health.outage, health.pauseMs()]).toEqual(["later, in other words", gone, 100]);
  const login = new DynamicMcpError("UPSTREAM_LOGIN", "a login");
  health.failed(login);
  expect([health.outage, health.pauseMs()]).toEqual([login, 1_000]);
  health.worked();
  expect(health.outage).toBeUndefined();
});

it("lets one that died be started again at once, unless it keeps dying", () => {
  const { health } = open();
  for (let death = 1; death <= 3; death++) {
    health.died(gone, false);
    expect(health.pauseMs()).toBe(0);
    health.worked();
  }
  expect(health.restarts).toBe(3);
  health.died(gone, false);
  expect(health.pauseMs()).toBe(50);
  health.worked();
  health.died(gone, true);
  expect(health.pauseMs()).toBe(0);
});

it("spreads retries over the whole wait", () => {
  expect(backoffMs(1, { baseMs: 100, capMs: 1_000 }, () => 0)).toBe(0);
  expect(backoffMs(20, { baseMs: 100, capMs: 1_000 }, () => 0.999)).toBe(999);
});
