import { DynamicMcpError } from "../core/errors.ts";

const STEPS_BETWEEN_LOOKS = 2_048;
/** Levels of nesting that are followed; each takes some frames of the stack. */
const MAX_DEPTH = 500;

/** Bounds work on a value that somebody else made: in time, and in depth. */
export class Budget {
  readonly #endsAt: number;
  readonly #ms: number;
  #steps = 0;
  #depth = 0;

  constructor(ms: number) {
    this.#ms = ms;
    this.#endsAt = performance.now() + ms;
  }

  /** @throws INVALID_ARGUMENTS when the time is over */
  step(): void {
    if (++this.#steps % STEPS_BETWEEN_LOOKS !== 0 || performance.now() < this.#endsAt) return;
    throw new DynamicMcpError(
      "INVALID_ARGUMENTS",
      `the search was given up after ${this.#ms} ms; ask for less, for example for one branch of the value`,
    );
  }

  /** @throws INVALID_ARGUMENTS when this is too deep */
  deeper<T>(work: () => T): T {
    if (this.#depth >= MAX_DEPTH)
      throw new DynamicMcpError("INVALID_ARGUMENTS", `the value is nested more than ${MAX_DEPTH} levels deep`);
    this.#depth++;
    try {
      return work();
    } finally {
      this.#depth--;
    }
  }
}
