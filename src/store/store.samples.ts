import type { Change, ItemDraft, Store, Write } from "./store.ts";

/** A tool to keep, for tests of stores. */
export function draft(name: string, more: Partial<ItemDraft> = {}): ItemDraft {
  return {
    kind: "tool",
    name,
    key: name.replace(/[.:]/g, "_"),
    reach: "shared",
    owner: "local",
    isEnabled: true,
    summary: `{"description":"about ${name}"}`,
    body: { code: `return "${name}";` },
    ...more,
  };
}

export function write(change = "create", at = "2026-01-01T00:00:00.000Z"): Write {
  return { author: "local", at, change };
}

/** Subscribes to a store's changes and keeps them. */
export function collectChanges(store: Store): {
  seen: Change[];
  stop(): void;
  /** @throws when `isEnough` is not true within `withinMs` */
  until(isEnough: () => boolean, withinMs: number): Promise<void>;
} {
  const seen: Change[] = [];
  let wake = () => {};
  const stop = store.changes.subscribe((changes) => {
    seen.push(...changes);
    wake();
  });
  return {
    seen,
    stop,
    until: (isEnough, withinMs) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`only ${seen.length} changes within ${withinMs} ms`)), withinMs);
        wake = () => {
          if (!isEnough()) return;
          clearTimeout(late);
          resolve();
        };
        wake();
      }),
  };
}
