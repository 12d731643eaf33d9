import type { Caller } from "../core/caller.ts";
import type { ItemKind } from "../core/item.ts";
import type { Listing, Source } from "../core/source.ts";
import { createNaming, type NameStyle } from "./naming.ts";
import { parseTemplate } from "./uri-template.ts";
import type { Named, Surface, View } from "./surface.ts";

export interface SurfaceOptions {
  /** In order of precedence: where two have the same wire name, the first keeps it and the others get a short hash. */
  sources: readonly Source[];
  nameStyle: NameStyle;
  /** Whether a profile lists it; what is not listed can still be called. */
  isListed: (listing: Listing, source: Source) => boolean;
}

/** Views kept at once. Callers that see the same arrays share one. */
const MAX_VIEWS = 16;

/** A {@link Surface} that asks its Sources when asked, and remembers what it merged until one of them changes. */
export function createSurface({ sources, nameStyle, isListed }: SurfaceOptions): Surface {
  const naming = createNaming(nameStyle);
  const nonce = Math.random().toString(36).slice(2, 8);
  const views: Known[] = [];
  let made = 0;

  function view(caller: Caller): View {
    // On the way of every call, so nothing is made when the newest view still holds.
    const newest = views[0];
    if (newest && holds(newest, caller)) return newest.view;
    const at = views.findIndex((known) => holds(known, caller));
    const known = (at < 0 ? undefined : views.splice(at, 1)[0]) ?? makeKnown(caller);
    views.unshift(known);
    if (views.length > MAX_VIEWS) views.pop();
    return known.view;
  }

  function holds({ parts }: Known, caller: Caller): boolean {
    let at = 0;
    for (const source of sources)
      for (const kind of KINDS) if (source.items(kind, caller) !== parts[at++]) return false;
    return true;
  }

  function makeKnown(caller: Caller): Known {
    const parts = sources.flatMap((source) => KINDS.map((kind) => source.items(kind, caller)));
    return { parts, view: createView(`${nonce}.${++made}`, parts) };
  }

  function createView(version: string, parts: readonly (readonly Listing[])[]): View {
    const merged = new Map<ItemKind, Merged>();
    const of = <K extends ItemKind>(kind: K): Merged<K> => {
      let found: Merged | undefined = merged.get(kind);
      if (!found) {
        const own = sources.map((source, at) => ({
          source,
          listings: parts[at * KINDS.length + KINDS.indexOf(kind)] ?? [],
        }));
        const all = naming.merge(kind, own);
        found = { all, listed: all.filter((named) => isListed(named.listing, named.source)) };
        merged.set(kind, found);
      }
      return found as Merged<K>; // the map holds under a kind what was merged for it
    };

    return {
      version,
      list: (kind) => of(kind).listed,
      find: (kind, name) => naming.find(of(kind).all, name),
      findResource(uri) {
        const exact = naming.findExact(of("resource").all, uri);
        if (exact) return { named: exact, variables: {} };
        for (const named of of("template").all) {
          const variables = parseTemplate(named.listing.name)(uri);
          if (variables) return { named, variables };
        }
        return undefined;
      },
    };
  }

  return {
    view,
    onChange(listener) {
      let waiting: Set<ItemKind> | undefined;
      const collect = (kind: ItemKind) => {
        if (!waiting) {
          waiting = new Set();
          queueMicrotask(() => {
            const kinds = waiting;
            waiting = undefined;
            if (kinds) listener(kinds);
          });
        }
        waiting.add(kind);
      };
      const ends = sources.map((source) => source.onChange(collect));
      return () => {
        waiting = undefined;
        for (const end of ends) end();
      };
    },
    onResourceUpdated(listener) {
      const ends = sources.map((source) => source.onResourceUpdated?.(listener));
      return () => {
        for (const end of ends) end?.();
      };
    },
  };
}

const KINDS = ["tool", "prompt", "resource", "template"] as const satisfies readonly ItemKind[];

/** A view and what it was made from: for each source, its lists in the order of {@link KINDS}. */
interface Known {
  parts: readonly (readonly Listing[])[];
  view: View;
}

interface Merged<K extends ItemKind = ItemKind> {
  all: readonly Named<K>[];
  listed: readonly Named<K>[];
}
