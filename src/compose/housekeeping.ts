import type { Logger } from "../core/source.ts";
import type { Store } from "../store/store.ts";

export interface HousekeepingOptions {
  store: Pick<Store, "calls" | "signals">;
  results: { prune(): Promise<number> };
  retentionDays: number;
  log: Logger;
  now: () => number;
}

const FIRST_MS = 60_000;
const EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Searches that led somewhere; the oldest say least. */
const SIGNALS_KEPT = 20_000;

/**
 * Deletes what has been kept long enough: a minute after start, then every hour. Short-lived processes, such as
 * commands, never get to it. @returns the end of it
 */
export function keepHouse({ store, results, retentionDays, log, now }: HousekeepingOptions): () => void {
  const chores = {
    async "journal records"() {
      const removed = await store.calls.prune(new Date(now() - retentionDays * DAY_MS).toISOString());
      if (removed > 0) log.info({ removed, retentionDays }, "old journal records deleted");
    },
    "kept results": () => results.prune(),
    "learnt searches": () => store.signals.prune(SIGNALS_KEPT),
  };

  /** One that fails keeps no other from being done. */
  async function sweep(): Promise<void> {
    for (const [what, clear] of Object.entries(chores)) {
      try {
        await clear();
      } catch (error) {
        log.warn({ err: error, what }, "what is old could not be deleted; trying again in an hour");
      }
    }
  }

  let timer = setTimeout(function again() {
    void sweep();
    timer = setTimeout(again, EVERY_MS).unref();
  }, FIRST_MS).unref();
  return () => clearTimeout(timer);
}
