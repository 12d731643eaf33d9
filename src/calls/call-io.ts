import type { Deadline } from "../core/deadline.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Ask, CallIo, ClientCan, LogLevel, Resumed } from "../core/source.ts";
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

  get resumed(): Resumed | undefined {
    return this.#io.resumed;
  }

  get logLevel(): LogLevel | undefined {
    return this.#io.logLevel;
  }

  get meta(): JsonObject | undefined {
    return this.#io.meta;
  }

  get wantsProgress(): boolean | undefined {
    return this.#io.wantsProgress;
  }

  async ask(asks: Record<string, Ask>, state?: string): Promise<Record<string, JsonObject>> {
    const unpark = this.#lease.park();
    const resume = this.#deadline.pause();
    try {
      return await this.#io.ask(asks, state);
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
 * What a call within a call gets: the client is its parent's client. Keys of questions, and the state that comes back
 * with their answers, carry the number of the inner call: when everything runs again, two of them never mix up their
 * answers, and only the one that has paused goes on from its state. Progress is the parent's own, unless that does nothing
 * but hand this call on.
 */
export function innerIo(parent: CallIo, child: number, isHandedOn: boolean): CallIo {
  const prefix = `${child}/`;
  return {
    can: parent.can,
    logLevel: parent.logLevel,
    meta: parent.meta,
    wantsProgress: isHandedOn && parent.wantsProgress,
    resumed: resumedChild(parent.resumed, prefix),
    async ask(asks, state) {
      const prefixed = Object.fromEntries(Object.entries(asks).map(([key, ask]) => [prefix + key, ask]));
      return ownAnswers(await parent.ask(prefixed, state === undefined ? undefined : prefix + state), prefix);
    },
    progress(progress, total, message) {
      if (isHandedOn) parent.progress(progress, total, message);
    },
    log: (level, data, logger) => parent.log(level, data, logger),
  };
}

function resumedChild(resumed: Resumed | undefined, prefix: string): Resumed | undefined {
  if (!resumed?.state.startsWith(prefix)) return undefined;
  return { state: resumed.state.slice(prefix.length), answers: ownAnswers(resumed.answers, prefix) };
}

function ownAnswers(answers: Record<string, JsonObject>, prefix: string): Record<string, JsonObject> {
  const own = Object.entries(answers).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, answer]) => [key.slice(prefix.length), answer]));
}
