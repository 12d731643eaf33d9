const EVERY_MS = 5_000;

/** Tells somebody who waits that something still goes on. */
export interface Progress {
  /** A plain sentence, told at once, and again every few seconds until there is another one. */
  tell(message: string): void;
  /** Told in place of the last one when its time comes. */
  note(message: string): void;
  /** Nothing is told after it. Safe to call twice. */
  stop(): void;
}

/** @param everyMs default: five seconds; clients give up on calls that they hear nothing of for a minute */
export function createProgress(listener: (message: string) => void, everyMs = EVERY_MS): Progress {
  const startedAt = performance.now();
  let last = "";
  const repeat = () => listener(`${last} (for ${Math.round((performance.now() - startedAt) / 1000)} s now)`);
  let timer: NodeJS.Timeout | undefined;
  return {
    tell(message) {
      last = message;
      clearInterval(timer);
      timer = setInterval(repeat, everyMs).unref();
      listener(message);
    },
    note(message) {
      last = message;
    },
    stop() {
      clearInterval(timer);
    },
  };
}
