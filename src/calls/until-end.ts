import type { Deadline } from "../core/deadline.ts";

/** Time that a run gets to come back by itself once it was told to end, in ms: it knows more about its end than we do. */
const GRACE_MS = 400;

/**
 * Waits for a run, but not for one that ignores its deadline.
 *
 * @throws the deadline's error when the run has not ended {@link GRACE_MS} after it; what it does later is passed over
 */
export function untilEnd<T>(run: Promise<T>, deadline: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const giveUp = () => reject(deadline.error());
    const forget = deadline.onEnd(() => {
      grace = setTimeout(giveUp, GRACE_MS);
    });
    run.then(
      (value) => {
        forget();
        clearTimeout(grace);
        resolve(value);
      },
      (error: unknown) => {
        forget();
        clearTimeout(grace);
        reject(deadline.reason ? deadline.error() : asError(error));
      },
    );
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}
