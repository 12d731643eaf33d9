import type { Deadline } from "../core/deadline.ts";
import type { CallIo } from "../core/source.ts";
import type { Lease } from "../guard/guard.ts";

/** While a person thinks, the call gives its slot to others and its clock stands still (up to the wall-clock cap). */
export function patientIo(io: CallIo, lease: Lease, deadline: Deadline): CallIo {
  return {
    ...io,
    async ask(asks) {
      const unpark = lease.park();
      const resume = deadline.pause();
      try {
        return await io.ask(asks);
      } finally {
        resume();
        unpark();
      }
    },
  };
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
