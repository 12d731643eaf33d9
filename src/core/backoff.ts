/**
 * Waits before the next attempt: full jitter, so that many do not come back in the same instant.
 *
 * @param attempt 1 for the first retry
 * @param baseMs  upper bound of the first wait, in ms (> 0)
 * @param capMs   upper bound of any wait, in ms (>= baseMs)
 * @param random  gives a number in [0, 1)
 * @returns a wait in ms, in [0, min(capMs, baseMs * 2^(attempt - 1)))
 * @see AWS Architecture Blog, "Exponential Backoff And Jitter" (2015), section "Full Jitter"
 */
export function backoffMs(
  attempt: number,
  { baseMs, capMs }: { baseMs: number; capMs: number },
  random: () => number,
): number {
  return random() * Math.min(capMs, baseMs * 2 ** (attempt - 1));
}
