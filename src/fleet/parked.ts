import type { FleetLimits } from "./options.ts";

/** A call that waits in memory for its client to come back with answers. */
export interface Parked {
  readonly id: string;
  readonly principal: string;
  /** Ends it: the server is told that it is cancelled. */
  expire(): void;
}

/** Calls of clients of 2026-07-28 at servers of the older era, while the client thinks. Bounded in number and time. */
export class ParkedCalls<P extends Parked> {
  readonly #calls = new Map<string, { call: P; timer: NodeJS.Timeout }>();
  readonly #limits: Pick<FleetLimits, "askTtlMs" | "parked" | "parkedPerPrincipal">;

  constructor(limits: Pick<FleetLimits, "askTtlMs" | "parked" | "parkedPerPrincipal">) {
    this.#limits = limits;
  }

  add(call: P): void {
    const own = [...this.#calls.values()].filter((each) => each.call.principal === call.principal);
    if (own.length >= this.#limits.parkedPerPrincipal) this.#expire(own[0]?.call.id);
    const [oldest] = this.#calls.keys();
    if (this.#calls.size >= this.#limits.parked) this.#expire(oldest);
    const timer = setTimeout(() => this.#expire(call.id), this.#limits.askTtlMs).unref();
    this.#calls.set(call.id, { call, timer });
  }

  /** @returns undefined when there is none, or it is somebody else's. It is no longer kept afterwards. */
  take(id: string, principal: string): P | undefined {
    const found = this.#calls.get(id);
    if (found?.call.principal !== principal) return undefined;
    clearTimeout(found.timer);
    this.#calls.delete(id);
    return found.call;
  }

  #expire(id: string | undefined): void {
    const found = this.#calls.get(id ?? "");
    if (!found) return;
    clearTimeout(found.timer);
    this.#calls.delete(found.call.id);
    found.call.expire();
  }

  close(): void {
    for (const id of [...this.#calls.keys()]) this.#expire(id);
  }
}
