import { createHash } from "node:crypto";
import type { ItemKind, ItemOf } from "../core/item.ts";
import { wireName } from "../core/names.ts";
import type { Listing, Source } from "../core/source.ts";
import type { Named } from "./surface.ts";

/** `wire` lists `text_upper` for `text.upper`; `dotted` lists what the author wrote. Both are accepted on call. */
export type NameStyle = "wire" | "dotted";

const MAX_WIRE_CHARS = 64;

/**
 * Gives everything a name on the wire and keeps it in one order, by key, so that adding one moves no other.
 *
 * A listing keeps its {@link Named} as long as it lives (weakly), so a change among ten thousand makes one new object.
 */
export function createNaming(style: NameStyle) {
  const known = new WeakMap<Listing, Entry>();

  function entryOf(listing: Listing, source: Source): Entry {
    let entry = known.get(listing);
    if (!entry) {
      const isUri = listing.kind === "resource" || listing.kind === "template";
      entry = new Entry(isUri ? listing.name : shortened(listing), isUri || style === "dotted", listing, source);
      known.set(listing, entry);
    }
    return entry;
  }

  return {
    /** @returns all in ascending order of key, each key once; later sources give way */
    merge<K extends ItemKind>(kind: K, own: { source: Source; listings: readonly Listing[] }[]): readonly Named<K>[] {
      const lists = own.filter(({ listings }) => listings.length > 0);
      const entries = lists.map(({ source, listings }) => inOrder(listings.map((each) => entryOf(each, source))));
      const isUri = kind === "resource" || kind === "template";
      const merged = entries.reduce<Entry[]>((first, second) => mergeTwo(first, second, isUri), []);
      return merged as unknown as Named<K>[];
    },

    /** By either spelling of a tool or prompt. */
    find<K extends ItemKind>(all: readonly Named<K>[], name: string): Named<K> | undefined {
      return search(all, wireName(name));
    },

    /** By exactly this URI. */
    findExact<K extends ItemKind>(all: readonly Named<K>[], uri: string): Named<K> | undefined {
      return search(all, uri);
    },
  };
}

class Entry implements Named {
  readonly key: string;
  readonly listing: Listing;
  readonly source: Source;
  readonly #isAsWritten: boolean;
  #renamed: Entry | undefined;

  constructor(key: string, isAsWritten: boolean, listing: Listing, source: Source) {
    this.key = key;
    this.#isAsWritten = isAsWritten;
    this.listing = listing;
    this.source = source;
  }

  get name(): string {
    // A name that had to be changed to be unique or short is listed as changed, whatever the style.
    return this.#isAsWritten && (this.key === this.listing.name || this.key === wireName(this.listing.name))
      ? this.listing.name
      : this.key;
  }

  load(): ItemOf<ItemKind> {
    return this.listing.load();
  }

  renamed(): Entry {
    const seed = `${this.source.name}:${this.listing.id}`;
    return (this.#renamed ??= new Entry(withHash(this.key, seed), false, this.listing, this.source));
  }
}

function shortened(listing: Listing): string {
  const key = wireName(listing.name);
  return key.length <= MAX_WIRE_CHARS ? key : withHash(key, listing.id);
}

/** Stable over restarts: depends on nothing but the two texts. */
function withHash(key: string, seed: string): string {
  const hash = createHash("sha256").update(`${key}\n${seed}`).digest("hex").slice(0, 8);
  return `${key.slice(0, MAX_WIRE_CHARS - 9)}_${hash}`;
}

/** Sources keep their own order; those that list by key already cost one pass. */
function inOrder(entries: Entry[]): Entry[] {
  for (let at = 1; at < entries.length; at++) {
    if (compare(entries[at - 1], entries[at]) > 0) return entries.toSorted(compare);
  }
  return entries;
}

function mergeTwo(first: Entry[], second: Entry[], isUri: boolean): Entry[] {
  if (first.length === 0) return second;
  const merged: Entry[] = [];
  const displaced: Entry[] = [];
  let left = 0;
  let right = 0;
  while (left < first.length || right < second.length) {
    const a = first[left];
    const b = second[right];
    const order = a === undefined ? 1 : b === undefined ? -1 : compare(a, b);
    if (order <= 0 && a) {
      merged.push(a);
      left++;
    }
    if (order === 0 && b) {
      // A URI cannot be renamed without breaking who refers to it: the first source keeps it.
      if (!isUri) displaced.push(b.renamed());
      right++;
    } else if (order > 0 && b) {
      merged.push(b);
      right++;
    }
  }
  return displaced.length === 0 ? merged : mergeTwo(merged, displaced.toSorted(compare), isUri);
}

function compare(a: Entry | undefined, b: Entry | undefined): number {
  const left = a?.key ?? "";
  const right = b?.key ?? "";
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Binary search by key. */
function search<K extends ItemKind>(all: readonly Named<K>[], key: string): Named<K> | undefined {
  const entries = all as unknown as readonly Entry[];
  let low = 0;
  let high = entries.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = entries[middle]?.key ?? "";
    if (found === key) return all[middle];
    if (found < key) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}
