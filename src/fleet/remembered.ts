import type { ItemKind } from "../core/item.ts";
import { KINDS, type Offer, type Shelf } from "./offer.ts";

/*
 * How an offer is kept: one line of JSON with everything but the lines of its lists, then these, one after another.
 * What has to be parsed at a start are names and numbers; the rest is cut out of the text when somebody asks for it.
 */
const FORMAT = 2;

interface Head extends Omit<Offer, "shelves"> {
  format: typeof FORMAT;
  keys: Record<ItemKind, readonly string[]>;
  /** Lengths of lines, in UTF-16 units. */
  chars: Record<ItemKind, readonly number[]>;
}

export function writeOffer(offer: Offer): string {
  const { shelves, ...rest } = offer;
  const perKind = <T>(of: (shelf: Shelf) => T) =>
    Object.fromEntries(KINDS.map((kind) => [kind, of(shelves[kind])])) as Record<ItemKind, T>;
  const head: Head = {
    format: FORMAT,
    ...rest,
    keys: perKind((shelf) => shelf.keys),
    chars: perKind(({ starts }) => starts.slice(1).map((start, at) => start - (starts[at] ?? 0))),
  };
  return `${JSON.stringify(head)}\n${KINDS.map((kind) => shelves[kind].text).join("")}`;
}

/** @returns undefined for what this version did not write */
export function readOffer(text: string): Offer | undefined {
  const headEnds = text.indexOf("\n");
  let head: Head;
  try {
    head = JSON.parse(text.slice(0, headEnds)) as Head;
    if (head.format !== FORMAT) return undefined;
  } catch {
    return undefined;
  }
  let from = headEnds + 1;
  const shelves = {} as Record<ItemKind, Shelf>;
  for (const kind of KINDS) {
    const starts = [0];
    let end = 0;
    for (const chars of head.chars[kind]) starts.push((end += chars));
    shelves[kind] = { keys: head.keys[kind], starts, text: text.slice(from, from + end) };
    from += end;
  }
  if (from !== text.length) return undefined;
  const { format: _format, keys: _keys, chars: _chars, ...rest } = head;
  return { ...rest, shelves };
}
