import type { Deadline } from "../core/deadline.ts";

/** Time that a run gets to come back by itself once it was told to end, in ms: it knows more about its end than we do. */
const GRACE_MS = 400;

/**
 * Waits for a run, but not for one that ignores its deadline.
 *
 * @throws the deadline's error when the run has not ended {@link GRACE_MS} after it; what it does later is passed over
 */
export function untilEnd<T>(run: Promise<T>, deadline: Deadline): Promise<T> {
  const { signal } = deadline;
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const onEnd = () => {
      grace = setTimeout(() => settle(() => reject(deadline.error())), GRACE_MS);
    };
    const settle = (end: () => void) => {
      clearTimeout(grace);
      signal.removeEventListener("abort", onEnd);
      end();
    };
    if (signal.aborted) onEnd();
    else signal.addEventListener("abort", onEnd, { once: true });
    run.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(deadline.reason ? deadline.error() : asError(error))),
    );
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}
