import type { Deadline } from "../core/deadline.ts";

/**
 * How much may run. One for the whole process, keyed by principal: opening more channels gives nobody more.
 */
export interface Guard {
  /**
   * Takes a call from the rate of (principal, scope), then a slot. Refuses at once, never queues.
   * A refusal for concurrency does not use up the rate.
   *
   * @throws RATE_LIMITED with `data.retryAfterMs`
   * @throws OVERLOADED with `data.running` and `data.limit`
   */
  admit(call: { principal: string; scope: string; parent?: Lease | undefined; deadline: Deadline }): Lease;

  counters(): GuardCounters;
}

/** A slot. A child call shares its parent's, or parents would starve their own children. */
export interface Lease {
  /** Gives the slot back while a person thinks; take it again with the returned function. */
  park(): () => void;
  /** Safe to call twice. */
  release(): void;
}

export interface GuardCounters {
  running: number;
  limits: { concurrency: number; callsPerWindow: number; windowMs: number };
  scopes: { scope: string; allowed: number; rejectedRate: number; rejectedConcurrency: number }[];
}
