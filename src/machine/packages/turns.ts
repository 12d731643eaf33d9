import type { Deadline } from "../../core/deadline.ts";

/**
 * Lets at most `width` of the given work run at once; the rest waits in order, each until its own deadline.
 *
 * @returns runs `work` when it is its turn. @throws what `work` throws; the deadline's error while it waits
 */
export function createTurns(width: number): <T>(work: () => Promise<T>, deadline: Deadline) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];

  function turn(deadline: Deadline): Promise<void> {
    deadline.throwIfEnded();
    if (running < width) {
      running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        stopListening();
        resolve();
      };
      waiting.push(begin);
      const stopListening = deadline.onEnd(() => {
        const at = waiting.indexOf(begin);
        if (at >= 0) waiting.splice(at, 1);
        reject(deadline.error());
      });
    });
  }

  return async (work, deadline) => {
    await turn(deadline);
    try {
      return await work();
    } finally {
      // Whoever is next takes over the place.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
