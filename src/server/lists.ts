import type { Caller } from "../core/caller.ts";
import type { ItemKind } from "../core/item.ts";
import type { Listing } from "../core/source.ts";
import type { Named, Surface, View } from "../surface/surface.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { headerParams, LIST_OF, listed, type HeaderParam, type ListMethod } from "./listed.ts";
import { Lru } from "./lru.ts";
import type { Era } from "./protocol.ts";
import { isObjectSchema, type CacheHint, type ResultWriter } from "./results.ts";

/** Pages kept as bytes, all callers together. */
const PAGES_BYTES = 4_000_000;
/** Single items kept as text: after a change a page is put together again from them. */
const ITEMS_CHARS = 1_500_000;

/** What a call has to know of a tool's schemas; found once for each listing. */
export interface ToolTraits {
  isWrapped: boolean;
  headers: readonly HeaderParam[];
}

/**
 * Answers the four lists. A page is made once for each view and era and kept as bytes; which callers share a view is
 * the surface's business.
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
  const texts = { legacy: new Lru<Listing, Line>(ITEMS_CHARS), modern: new Lru<Listing, Line>(ITEMS_CHARS) };
  const traits = new WeakMap<Listing, ToolTraits>();

  function lineOf(named: Named, era: Era): string {
    const known = texts[era].get(named.listing);
    if (known && known.name === named.name) return known.text;
    const text = JSON.stringify(listed(named.load(), named.name, era));
    texts[era].set(named.listing, { name: named.name, text }, text.length);
    return text;
  }

  /** @throws INVALID_CURSOR */
  function page(method: ListMethod, era: Era, caller: Caller, cursor: string | undefined): Buffer {
    const { kind, key } = LIST_OF[method];
    const view = surface.view(caller);
    const start = cursor === undefined ? 0 : startOf(view, kind, cursor);
    const id = `${view.version} ${era} ${kind} ${start}`;
    let bytes = pages.get(id);
    if (!bytes) {
      bytes = Buffer.from(write(view, kind, key, era, start));
      pages.set(id, bytes, bytes.length + id.length);
    }
    return bytes;
  }

  function write(view: View, kind: ItemKind, key: string, era: Era, start: number): string {
    const all: readonly Named[] = view.list(kind);
    const end = Math.min(start + pageSize, all.length);
    const lines = all.slice(start, end).map((named) => lineOf(named, era));
    const last = all[end - 1];
    const more =
      end < all.length && last
        ? { nextCursor: writeCursor(kind, { version: view.version, offset: end, after: last.name }) }
        : {};
    const rest = writer.write(era, more, hint);
    return `{"${key}":[${lines.join(",")}]${rest === "{}" ? "}" : `,${rest.slice(1)}`}`;
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
        found = { isWrapped: outputSchema !== undefined && !isObjectSchema(outputSchema), headers: headerParams(inputSchema) }; // prettier-ignore
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
}

/** Goes on after the last item of the page before, wherever that is by now. */
function startOf(view: View, kind: ItemKind, cursor: string): number {
  const position = readCursor(kind, cursor);
  const all: readonly Named[] = view.list(kind);
  if (position.version === view.version) return Math.min(position.offset, all.length);
  const same = all.findIndex(({ name }) => name === position.after);
  if (same >= 0) return same + 1;
  const next = all.findIndex(({ name }) => name > position.after);
  return next < 0 ? all.length : next;
}
