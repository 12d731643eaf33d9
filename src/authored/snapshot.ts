import type { ToolItem } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import { TOOL_NAME } from "../core/names.ts";
import type { Listing, Logger } from "../core/source.ts";
import type { ItemHead, Store } from "../store/store.ts";
import { readSummary } from "./body.ts";
import { followChanges } from "./follow-changes.ts";
import { listedOutputSchema } from "./output-schema.ts";

/**
 * The tools as they are now, in memory, so that lists and look-ups wait for nothing.
 *
 * Own writes are put in at once, those of other processes when the feed tells; one change among ten thousand reads one
 * row. Heads are kept as texts: nothing is parsed until somebody asks.
 */
export interface Snapshot {
  /** Ascending by key; disabled and quarantined ones included. */
  heads(): readonly ItemHead[];
  byKey(key: string): ItemHead | undefined;
  /** What can be called. The same array until something changed. */
  listings(): readonly Listing<"tool">[];
  put(head: ItemHead): void;
  drop(id: string): void;
  onChange(listener: () => void): () => void;
  close(): void;
}

/** More changes than this at once are cheaper read as a whole. */
const MANY_CHANGES = 200;

/** Any object: what a tool without an input schema takes. */
const ANY_OBJECT: JsonObject = Object.freeze({ type: "object", additionalProperties: true });

export async function openSnapshot(store: Pick<Store, "items" | "changes">, log: Logger): Promise<Snapshot> {
  let entries: Entry[] = [];
  const ids = new Map<string, Entry>();
  let callable: readonly Listing<"tool">[] | undefined;
  const listeners = new Set<() => void>();

  const changed = () => {
    callable = undefined;
    for (const listener of listeners) listener();
  };

  function put(head: ItemHead): boolean {
    const before = ids.get(head.id);
    if (before && before.head.revision >= head.revision && before.head.quarantine === head.quarantine) return false;
    const entry = new Entry(checked(head));
    ids.set(head.id, entry);
    if (before?.head.key === head.key) {
      entries[indexOf(before)] = entry;
    } else {
      if (before) entries.splice(indexOf(before), 1);
      entries.splice(placeOf(entries, head), 0, entry);
    }
    return true;
  }

  function drop(id: string): boolean {
    const entry = ids.get(id);
    if (!entry) return false;
    ids.delete(id);
    entries.splice(indexOf(entry), 1);
    return true;
  }

  const indexOf = (entry: Entry) => entries.indexOf(entry, Math.max(0, placeOf(entries, entry.head)));

  function replaceAll(heads: readonly ItemHead[]): void {
    ids.clear();
    entries = heads.map((head) => new Entry(checked(head))).toSorted((a, b) => compare(a.head, b.head));
    for (const entry of entries) ids.set(entry.head.id, entry);
  }

  const feed = followChanges(store, log, {
    isMany: (count) => count > MANY_CHANGES,
    async readAll() {
      replaceAll(await store.items.list("tool"));
      changed();
    },
    async readOne(id) {
      const item = await store.items.get(id);
      if (item ? put(headOf(item)) : drop(id)) changed();
    },
  });
  try {
    replaceAll(await store.items.list("tool"));
  } catch (error) {
    feed.close();
    throw error;
  }

  return {
    heads: () => entries.map((entry) => entry.head),
    byKey: (key) => {
      const entry = entries[placeOf(entries, { key, id: "" })];
      return entry?.head.key === key ? entry.head : undefined;
    },
    listings: () => (callable ??= entries.filter((entry) => entry.head.isEnabled && !entry.head.quarantine)),
    put(head) {
      if (put(headOf(head))) changed();
    },
    drop(id) {
      if (drop(id)) changed();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      feed.close();
      listeners.clear();
    },
  };
}

class Entry implements Listing<"tool"> {
  readonly head: ItemHead;

  constructor(head: ItemHead) {
    this.head = head;
  }

  get kind() {
    return "tool" as const;
  }

  get id() {
    return this.head.id;
  }

  get name() {
    return this.head.name;
  }

  load(): ToolItem {
    return toItem(this.head);
  }
}

function toItem(head: ItemHead): ToolItem {
  const { title, description, inputSchema, outputSchema, annotations } = readSummary(head.summary);
  return {
    kind: "tool",
    id: head.id,
    name: head.name,
    title,
    description,
    revision: head.revision,
    inputSchema: inputSchema ?? ANY_OBJECT,
    outputSchema: listedOutputSchema(outputSchema),
    annotations,
  };
}

/** A row that somebody else wrote may hold a name that would make clients reject the whole list. */
function checked(head: ItemHead): ItemHead {
  if (head.quarantine !== undefined || TOOL_NAME.test(head.name)) return head;
  return { ...head, quarantine: `${JSON.stringify(head.name.slice(0, 80))} cannot be a tool name` };
}

/** A stored item without its body. */
function headOf(item: ItemHead): ItemHead {
  const { id, kind, name, key, reach, owner, session, revision, isEnabled, createdAt, updatedAt, summary } = item;
  return { id, kind, name, key, reach, owner, session, revision, isEnabled, createdAt, updatedAt, summary, quarantine: item.quarantine }; // prettier-ignore
}

type Placed = Pick<ItemHead, "key" | "id">;

function compare(a: Placed, b: Placed): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** The first place whose entry is not before `head`. */
function placeOf(entries: readonly Entry[], head: Placed): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle];
    if (entry && compare(entry.head, head) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
