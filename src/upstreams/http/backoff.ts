/**
 * Waits before the next attempt: half fixed, half jitter, so that it neither comes at once nor with all others.
 *
 * @param attempt 1 for the first retry
 * @param random  gives a number in [0, 1)
 * @returns a wait in ms, at most `capMs`
 */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number): number {
  return (0.5 + random() / 2) * Math.min(capMs, baseMs * 2 ** (attempt - 1));
}
