import type { Deadline } from "./deadline.ts";

/**
 * Runs at most so many at once, the others after them in the order in which they came.
 *
 * @returns runs `work` when it is its turn; who gives up before that keeps nobody waiting.
 * @throws what `work` throws; the deadline's error, when the turn has not come by then
 */
export function createTurns(most: number): <T>(work: () => Promise<T>, deadline?: Deadline) => Promise<T> {
  const waiting = new Set<() => void>();
  let running = 0;

  function turn(deadline?: Deadline): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        waiting.delete(begin);
        stopListening?.();
        resolve();
      };
      waiting.add(begin);
      const stopListening = deadline?.onEnd(() => {
        waiting.delete(begin);
        reject(deadline.error());
      });
    });
  }

  return async (work, deadline) => {
    deadline?.throwIfEnded();
    if (running === most) await turn(deadline);
    else running++;
    try {
      return await work();
    } finally {
      // The turn is handed on, so that nobody who comes now gets in between.
      const [next] = waiting;
      if (next) next();
      else running--;
    }
  };
}
