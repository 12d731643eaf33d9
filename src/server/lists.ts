import type { Caller } from "../core/caller.ts";
import { headerParams, type HeaderParam } from "../core/header-params.ts";
import type { ItemKind, ToolItem } from "../core/item.ts";
import type { Listing } from "../core/source.ts";
import type { Named, Surface } from "../surface/surface.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { LIST_OF, listed, type ListMethod } from "./listed.ts";
import { Lru } from "./lru.ts";
import type { Era } from "./protocol.ts";
import { isObjectSchema, type CacheHint, type ResultWriter } from "./results.ts";

/**
 * Pages kept as bytes, all callers together: twice ten thousand tools of a usual size. Who goes through a list that
 * does not fit finds none of its pages kept, so this has to hold a whole one.
 */
const PAGES_BYTES = 16_000_000;
/** Single items kept as text, where their Source has none: after a change a page is put together again from them. */
const ITEMS_CHARS = 3_000_000;

/** What a call has to know of a tool's schemas; found once for each listing. */
export interface ToolTraits {
  isWrapped: boolean;
  headers: readonly HeaderParam[];
}

/** A page: what stands before its items and after them depends on the request, the bytes between are kept. */
export interface Page {
  /** `{"tools":[...` up to the last item. */
  bytes: Buffer;
  /** What closes it. */
  rest: string;
}

/**
 * Answers the four lists. The items of a page are written once for each list and kept as bytes, for both eras together
 * where they show the same; which callers share a list is the surface's business.
 */
export function createLists({
  surface,
  writer,
  pageSize,
  hint,
}: {
  surface: Surface;
  writer: ResultWriter;
  /** Items of a page, at least 1. */
  pageSize: number;
  hint: CacheHint;
}) {
  const pages = new Lru<string, Buffer>(PAGES_BYTES);
  const lines = new Lru<Listing, Line>(ITEMS_CHARS);
  const traits = new WeakMap<Listing, ToolTraits>();

  function lineOf(named: Named): Line {
    const { listing, name } = named;
    const given = listing.text?.(name);
    // A message is one line, on stdio and in streams of events.
    if (given !== undefined && !/[\n\r]/.test(given)) return { name, text: given };
    const known = lines.get(listing);
    if (known && known.name === name) return known;
    const item = named.load();
    const line: Line = { name, text: JSON.stringify(listed(item, name, "modern")) };
    if (item.kind === "tool" && isWrapped(item)) line.legacy = JSON.stringify(listed(item, name, "legacy"));
    lines.set(listing, line, line.text.length + (line.legacy?.length ?? 0));
    return line;
  }

  /** @throws INVALID_CURSOR */
  function page(method: ListMethod, era: Era, caller: Caller, cursor: string | undefined): Page {
    const { kind, key } = LIST_OF[method];
    const view = surface.view(caller);
    const version = view.listVersion(kind);
    const all: readonly Named[] = view.list(kind);
    const start = cursor === undefined ? 0 : startOf(all, version, kind, cursor);
    const end = Math.min(start + pageSize, all.length);
    const id = `${version} ${kind} ${start}`;
    const bytes = pages.get(id) ?? pages.get(`${id} ${era}`) ?? write(all.slice(start, end), key, era, id);
    const last = all[end - 1];
    const isMore = end < all.length && last !== undefined;
    const more = isMore ? { nextCursor: writeCursor(kind, { version, offset: end, after: last.name }) } : {};
    const rest = writer.write(era, more, hint);
    return { bytes, rest: rest === "{}" ? "]}" : `],${rest.slice(1)}` };
  }

  function write(shown: readonly Named[], key: string, era: Era, id: string): Buffer {
    const all = shown.map(lineOf);
    const isShared = all.every(({ legacy }) => legacy === undefined);
    const texts = all.map(({ text, legacy }) => (era === "legacy" ? (legacy ?? text) : text));
    const bytes = Buffer.from(`{"${key}":[${texts.join(",")}`);
    const pageId = isShared ? id : `${id} ${era}`;
    pages.set(pageId, bytes, bytes.length + pageId.length);
    return bytes;
  }

  return {
    page,

    /** @param name in either spelling; unknown names have no traits */
    traitsOf(caller: Caller, name: string): ToolTraits | undefined {
      const named = surface.view(caller).find("tool", name);
      if (!named) return undefined;
      let found = traits.get(named.listing);
      if (!found) {
        const { inputSchema, outputSchema } = named.load();
        found = { isWrapped: isWrapped({ outputSchema }), headers: headerParams(inputSchema) };
        traits.set(named.listing, found);
      }
      return found;
    },
  };
}

export type Lists = ReturnType<typeof createLists>;

interface Line {
  name: string;
  text: string;
  /** Where the older era is shown something else. */
  legacy?: string;
}

function isWrapped({ outputSchema }: Pick<ToolItem, "outputSchema">): boolean {
  return outputSchema !== undefined && !isObjectSchema(outputSchema);
}

/** Goes on after the last item of the page before, wherever that is by now. */
function startOf(all: readonly Named[], version: string, kind: ItemKind, cursor: string): number {
  const position = readCursor(kind, cursor);
  if (position.version === version) return Math.min(position.offset, all.length);
  const same = all.findIndex(({ name }) => name === position.after);
  if (same >= 0) return same + 1;
  const next = all.findIndex(({ name }) => name > position.after);
  return next < 0 ? all.length : next;
}
