import { DynamicMcpError } from "../core/errors.ts";
import { nearest, wireName } from "../core/names.ts";
import type { ItemHead, Place, Revision, StoredItem } from "../store/store.ts";
import type { AuthoredServices } from "./services.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Lookup {
  /** Of the newest revision. @throws TOOL_NOT_FOUND with the nearest name */
  head(name: string): Promise<ItemHead>;
  /** The newest revision, as it is in the store. @throws TOOL_NOT_FOUND */
  item(name: string): Promise<StoredItem>;
  /** @throws REVISION_NOT_FOUND */
  revision(item: StoredItem, n: number): Promise<Revision>;
}

/** Where authored tools live: everybody sees them. */
export function sharedPlace(owner: string): Place {
  return { reach: "shared", owner };
}

export function createLookup({ store }: Pick<AuthoredServices, "store">, snapshot: Snapshot): Lookup {
  async function head(name: string): Promise<ItemHead> {
    return snapshot.byKey(wireName(name)) ?? (await stored(name));
  }

  /** Another process may have made it within the last second. */
  async function stored(name: string): Promise<StoredItem> {
    const found = await store.items.find("tool", wireName(name), sharedPlace(""));
    if (!found) throw notFound(name, snapshot);
    snapshot.put(found);
    return found;
  }

  return {
    head,

    async item(name) {
      const { id } = await head(name);
      const item = await store.items.get(id);
      if (item) return item;
      // Deleted elsewhere a moment ago, and perhaps made anew.
      snapshot.drop(id);
      return await stored(name);
    },

    async revision(item, n) {
      const revision = await store.items.revision(item.id, n);
      if (revision) return revision;
      const why = `${item.name} has no revision ${n}; the newest is ${item.revision}`;
      throw new DynamicMcpError("REVISION_NOT_FOUND", why, { data: { current: item.revision } });
    },
  };
}

/** @throws REVISION_CONFLICT */
export function assertExpected(item: ItemHead, expected: number | undefined): void {
  if (expected === undefined || expected === item.revision) return;
  throw new DynamicMcpError(
    "REVISION_CONFLICT",
    `${item.name} is at revision ${item.revision}, not ${expected}: read it again and decide anew`,
    { data: { current: item.revision, expected } },
  );
}

function notFound(name: string, snapshot: Snapshot): DynamicMcpError {
  const near = nearest(name, (function* () { for (const { name: each } of snapshot.heads()) yield each; })()); // prettier-ignore
  const shown = name.length <= 80 ? name : `${name.slice(0, 80)}...`;
  const hint = near === undefined ? "dynamic_tool_list shows what there is" : `did you mean ${near}?`;
  return new DynamicMcpError("TOOL_NOT_FOUND", `there is no authored tool ${JSON.stringify(shown)}; ${hint}`);
}
