import type { Logger } from "../core/source.ts";
import type { Change, Store } from "../store/store.ts";

const RETRY_MS = 1_000;

/** Reads what others changed, one after the other; what could not be read is tried again. */
export function followChanges(
  store: Pick<Store, "changes">,
  log: Logger,
  on: { isMany: (count: number) => boolean; readAll: () => Promise<void>; readOne: (id: string) => Promise<void> },
): { close(): void } {
  const waiting = new Set<string>();
  let isReading = false;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;

  async function read(): Promise<void> {
    if (isReading || isClosed) return;
    isReading = true;
    try {
      while (waiting.size > 0) {
        if (isClosed) return;
        if (on.isMany(waiting.size)) {
          const all = [...waiting];
          await on.readAll();
          for (const id of all) waiting.delete(id);
          continue;
        }
        for (const id of waiting) {
          waiting.delete(id);
          try {
            await on.readOne(id);
          } catch (error) {
            waiting.add(id);
            throw error;
          }
        }
      }
    } catch (error) {
      if (isClosed) return;
      log.warn({ err: error, waiting: waiting.size }, "changes of tools could not be read; trying again");
      retry = setTimeout(() => void read(), RETRY_MS);
      retry.unref();
    } finally {
      isReading = false;
    }
  }

  const end = store.changes.subscribe((changes: readonly Change[]) => {
    for (const change of changes) if (change.kind === "tool") waiting.add(change.item);
    void read();
  });
  return {
    close() {
      isClosed = true;
      clearTimeout(retry);
      end();
    },
  };
}
