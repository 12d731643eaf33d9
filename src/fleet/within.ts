import type { Deadline } from "../core/deadline.ts";

/**
 * What `work` gives, or the deadline's error when that ends first; `work` itself goes on then.
 *
 * @throws what `work` throws; the deadline's error
 */
export function within<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = deadline.onEnd(() => reject(deadline.error()));
    work.finally(stop).then(resolve, reject);
  });
}
