/** Who wants to be told of something. */
export function createListeners<A extends unknown[]>() {
  const listeners = new Set<(...args: A) => void>();
  return {
    /** @returns the end of the subscription */
    add(listener: (...args: A) => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    tell(...args: A): void {
      for (const listener of [...listeners]) listener(...args);
    },
  };
}

/** Does something once for a burst of calls, soon after the first; `now` does at once what is still to be done. */
export function createBursts(work: () => void) {
  let pending: NodeJS.Immediate | undefined;
  const now = () => {
    if (!pending) return;
    clearImmediate(pending);
    pending = undefined;
    work();
  };
  return Object.assign(() => void (pending ??= setImmediate(now)), {
    now,
    stop: () => clearImmediate(pending),
  });
}
