import type { Caller } from "../core/caller.ts";
import type { Exposure } from "../core/exposure.ts";
import type { ItemKind } from "../core/item.ts";
import { once } from "../core/once.ts";
import type { Listing, Source } from "../core/source.ts";
import { expose, type ExposureOptions } from "./exposure.ts";
import { createTemplateFinder } from "./find-resource.ts";
import { createNaming, type NameStyle } from "./naming.ts";
import { createSameLists } from "./same-lists.ts";
import type { Named, Surface, View } from "./surface.ts";

export interface SurfaceOptions extends ExposureOptions {
  /** In order of precedence: where two have the same wire name, the first keeps it and the others get a short hash. */
  sources: readonly Source[];
  nameStyle: NameStyle;
}

/** Views kept at once. Callers that see the same arrays share one. */
const MAX_VIEWS = 16;

/** A {@link Surface} that asks its Sources when asked, and remembers what it merged until one of them changes. */
export function createSurface(options: SurfaceOptions): Surface {
  const { sources, nameStyle, isListed, exposure: usual = "direct", budgetTokens = 0 } = options;
  const naming = createNaming(nameStyle);
  const nonce = Math.random().toString(36).slice(2, 8);
  const sameLists = createSameLists(nonce);
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

  function holds({ parts, wish }: Known, caller: Caller): boolean {
    if (wish !== (caller.exposure ?? usual)) return false;
    let at = 0;
    for (const source of sources)
      for (const kind of KINDS) if (source.items(kind, caller) !== parts[at++]) return false;
    return true;
  }

  function makeKnown(caller: Caller): Known {
    const wish = caller.exposure ?? usual;
    const parts = sources.flatMap((source) => KINDS.map((kind) => source.items(kind, caller)));
    return { wish, parts, view: createView(`${nonce}.${++made}`, wish, parts) };
  }

  function createView(version: string, wish: Exposure, parts: readonly (readonly Listing[])[]): View {
    const merge = <K extends ItemKind>(kind: K) =>
      naming.merge(
        kind,
        sources.map((source, at) => ({ source, listings: parts[at * KINDS.length + KINDS.indexOf(kind)] ?? [] })),
      );
    const all: { [K in ItemKind]: () => readonly Named<K>[] } = {
      tool: once(() => merge("tool")),
      prompt: once(() => merge("prompt")),
      resource: once(() => merge("resource")),
      template: once(() => merge("template")),
    };
    const exposed = once(() => expose(all.tool(), wish, { budgetTokens, isListed }));
    const listOf = (kind: ItemKind) => {
      if (kind === "tool") return sameLists.of(kind, exposed().listed);
      return sameLists.of(
        kind,
        all[kind]().filter((named: Named) => isListed(named.listing, named.source, "direct", NONE)),
      );
    };
    const lists: { [K in ItemKind]: () => ReturnType<typeof listOf> } = {
      tool: once(() => listOf("tool")),
      prompt: once(() => listOf("prompt")),
      resource: once(() => listOf("resource")),
      template: once(() => listOf("template")),
    };
    const groups = once(() => byGroup(all.tool()));
    const findByTemplate = createTemplateFinder(all.template, sources);

    return {
      version,
      listVersion: (kind) => lists[kind]().version,
      list: <K extends ItemKind>(kind: K) => lists[kind]().list as readonly Named<K>[], // kept by kind
      all: (kind) => all[kind](),
      get exposure() {
        return exposed().exposure;
      },
      find: (kind, name) => naming.find(all[kind](), name),
      findInGroup: (group, nameInGroup) => groups().get(group)?.get(nameInGroup),
      findResource(uri, caller) {
        const exact = naming.findExact(all.resource(), uri);
        return exact ? { named: exact, variables: {} } : findByTemplate(uri, caller);
      },
    };
  }

  /** Subscribes to all Sources that have something to tell. */
  function toAll(subscribe: (source: Source) => (() => void) | undefined): () => void {
    const ends = sources.map(subscribe);
    return () => {
      for (const end of ends) end?.();
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
      const end = toAll((source) => source.onChange(collect));
      return () => {
        waiting = undefined;
        end();
      };
    },
    onResourceUpdated: (listener) => toAll((source) => source.onResourceUpdated?.(listener)),
    onMessage: (listener) => toAll((source) => source.onMessage?.(listener)),
    rootsChanged(caller) {
      for (const source of sources) source.rootsChanged?.(caller);
    },
    watch(uri, caller) {
      const found = view(caller).findResource(uri, caller);
      if (!found) return () => {};
      const { source, id } = "named" in found ? { source: found.named.source, id: found.named.listing.id } : found;
      return source.watch?.(uri, id, caller) ?? (() => {});
    },
  };
}

const KINDS = ["tool", "prompt", "resource", "template"] as const satisfies readonly ItemKind[];
const NONE: ReadonlySet<never> = new Set();

/** A view and what it was made from: for each source, its lists in the order of {@link KINDS}. */
interface Known {
  wish: Exposure;
  parts: readonly (readonly Listing[])[];
  view: View;
}

function byGroup(tools: readonly Named<"tool">[]): Map<string, Map<string, Named<"tool">>> {
  const groups = new Map<string, Map<string, Named<"tool">>>();
  for (const named of tools) {
    const { group, nameInGroup } = named.listing;
    if (group === undefined || nameInGroup === undefined) continue;
    const own = groups.get(group) ?? new Map<string, Named<"tool">>();
    groups.set(group, own);
    if (!own.has(nameInGroup)) own.set(nameInGroup, named);
  }
  return groups;
}
