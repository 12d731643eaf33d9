import type { Deadline } from "../../core/deadline.ts";

/** Lets one in at a time, in the order of coming. */
export interface Turns {
  /** @returns gives the turn on; safe to call twice. @throws the deadline's error, when the turn has not come by then */
  take(deadline: Deadline): Promise<() => void>;
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    async take(deadline) {
      const before = last;
      let giveOn = () => {};
      last = new Promise((resolve) => (giveOn = resolve));
      try {
        await untilEnd(before, deadline);
      } catch (error) {
        // Whoever comes after waits for the one before.
        void before.then(giveOn);
        throw error;
      }
      return giveOn;
    },
  };
}

function untilEnd(turn: Promise<void>, deadline: Deadline): Promise<void> {
  return new Promise((resolve, reject) => {
    const forget = deadline.onEnd(() => reject(deadline.error()));
    void turn.then(() => {
      forget();
      resolve();
    });
  });
}
