import { DynamicMcpError } from "../core/errors.ts";
import type { Guard, GuardCounters, Lease } from "./guard.ts";

export interface GuardOptions {
  /** Calls that may run at once, children not counted (>= 1). */
  concurrency: number;
  /** Calls of one principal to one scope in a window (>= 1). */
  callsPerWindow: number;
  windowMs: number;
  /** Milliseconds that only grow. */
  now?: () => number;
}

/** Entries kept before those that have gone quiet are looked for. */
const SWEEP_AT = 10_000;
const OTHERS = "(others)";

/** A {@link Guard} in memory: a sliding window counter per (principal, scope) and one count of running calls. */
export function createGuard(options: GuardOptions): Guard {
  const { concurrency, callsPerWindow, windowMs, now = () => performance.now() } = options;
  const windows = new Map<string, Window>();
  const scopes = new Map<string, Omit<GuardCounters["scopes"][number], "scope">>();
  let running = 0;

  function countersOf(scope: string) {
    const known = scopes.get(scope);
    if (known) return known;
    // Names of tools come from callers: past the bound they share one line.
    const line = scopes.size < SWEEP_AT ? scope : OTHERS;
    const counters = scopes.get(line) ?? { allowed: 0, rejectedRate: 0, rejectedConcurrency: 0 };
    scopes.set(line, counters);
    return counters;
  }

  function windowOf(key: string, at: number): Window {
    let window = windows.get(key);
    if (!window) {
      if (windows.size >= SWEEP_AT) {
        for (const [other, { startedAt }] of windows) if (at - startedAt >= 2 * windowMs) windows.delete(other);
      }
      window = { startedAt: at, count: 0, previous: 0 };
      windows.set(key, window);
    }
    const age = at - window.startedAt;
    if (age >= windowMs) {
      const passed = Math.floor(age / windowMs);
      window.previous = passed === 1 ? window.count : 0;
      window.count = 0;
      window.startedAt += passed * windowMs;
    }
    return window;
  }

  function takeSlot(): Lease {
    let isHeld = true;
    let isParked = false;
    running++;
    return {
      park() {
        if (!isHeld || isParked) return () => {};
        isParked = true;
        running--;
        return () => {
          if (!isHeld || !isParked) return;
          isParked = false;
          running++;
        };
      },
      release() {
        if (!isHeld) return;
        isHeld = false;
        if (!isParked) running--;
      },
    };
  }

  return {
    admit({ principal, scope, parent }) {
      const at = now();
      const counters = countersOf(scope);
      const window = windowOf(`${principal}\n${scope}`, at);
      const age = at - window.startedAt;
      const used = window.count + window.previous * (1 - age / windowMs);
      if (used + 1 > callsPerWindow) {
        counters.rejectedRate++;
        const retryAfterMs = Math.ceil(retryAfter(window, age, callsPerWindow, windowMs));
        throw new DynamicMcpError(
          "RATE_LIMITED",
          `${scope} was called ${callsPerWindow} times in ${windowMs} ms, the most that is allowed; try again in ${retryAfterMs} ms`,
          { data: { retryAfterMs, limit: callsPerWindow, windowMs } },
        );
      }
      if (!parent && running >= concurrency) {
        counters.rejectedConcurrency++;
        throw new DynamicMcpError(
          "OVERLOADED",
          `${running} calls are running, the most that is allowed; try again when one has ended`,
          { data: { running, limit: concurrency, retryAfterMs: 100 } },
        );
      }
      window.count++;
      counters.allowed++;
      return parent ? SHARED : takeSlot();
    },

    counters() {
      return {
        running,
        limits: { concurrency, callsPerWindow, windowMs },
        scopes: [...scopes].map(([scope, counters]) => ({ scope, ...counters })),
      };
    },
  };
}

/** A child runs in its parent's slot: nothing to give back, and the parent parks for both. */
const SHARED: Lease = { park: () => () => {}, release() {} };

interface Window {
  startedAt: number;
  count: number;
  previous: number;
}

/**
 * Time until one more call fits, when nothing else is called.
 *
 * The window before fades out linearly; once it is gone, the present one starts to fade.
 */
function retryAfter(window: Window, age: number, limit: number, windowMs: number): number {
  const room = limit - 1 - window.count;
  if (room >= 0) return windowMs * (1 - room / window.previous) - age;
  return windowMs - age + windowMs * (1 - (limit - 1) / window.count);
}
