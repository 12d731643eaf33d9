import type { Deadline } from "../core/deadline.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Ask, CallIo, ClientCan, LogLevel } from "../core/source.ts";
import type { Lease } from "../guard/guard.ts";

/** While a person thinks, the call gives its slot to others and its clock stands still (up to the wall-clock cap). */
export class PatientIo implements CallIo {
  readonly #io: CallIo;
  readonly #lease: Lease;
  readonly #deadline: Deadline;

  constructor(io: CallIo, lease: Lease, deadline: Deadline) {
    this.#io = io;
    this.#lease = lease;
    this.#deadline = deadline;
  }

  get can(): ClientCan {
    return this.#io.can;
  }

  async ask(asks: Record<string, Ask>): Promise<Record<string, JsonObject>> {
    const unpark = this.#lease.park();
    const resume = this.#deadline.pause();
    try {
      return await this.#io.ask(asks);
    } finally {
      resume();
      unpark();
    }
  }

  progress(progress: number, total?: number, message?: string): void {
    this.#io.progress(progress, total, message);
  }

  log(level: LogLevel, data: Json, logger?: string): void {
    this.#io.log(level, data, logger);
  }
}

/**
 * What a call within a call gets: the client is its parent's client. Keys of questions carry the number of the inner
 * call, so that two of them never mix up their answers when everything runs again. Progress is the parent's own.
 */
export function innerIo(parent: CallIo, child: number): CallIo {
  return {
    can: parent.can,
    async ask(asks) {
      const prefix = `${child}/`;
      const prefixed = Object.fromEntries(Object.entries(asks).map(([key, ask]) => [prefix + key, ask]));
      const answers = await parent.ask(prefixed);
      return Object.fromEntries(Object.entries(answers).map(([key, answer]) => [key.slice(prefix.length), answer]));
    },
    progress() {},
    log: (level, data, logger) => parent.log(level, data, logger),
  };
}
