import type { ItemKind } from "../core/item.ts";
import type { Named } from "./surface.ts";

/** Lists kept of each kind, to be known again. */
const MAX_LISTS = 16;

/**
 * Gives equal lists the same version, and one array: what is not listed may change as it likes, and no client that lists
 * has to look again.
 */
export function createSameLists(nonce: string) {
  const kept = new Map<ItemKind, { list: readonly Named[]; version: string }[]>();
  let made = 0;

  return {
    of(kind: ItemKind, list: readonly Named[]): { list: readonly Named[]; version: string } {
      const known = kept.get(kind) ?? [];
      kept.set(kind, known);
      const at = known.findIndex((each) => isSame(each.list, list));
      const found = (at < 0 ? undefined : known.splice(at, 1)[0]) ?? { list, version: `${nonce}.${kind}.${++made}` };
      known.unshift(found);
      if (known.length > MAX_LISTS) known.pop();
      return found;
    },
  };
}

function isSame(a: readonly Named[], b: readonly Named[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at]);
}
