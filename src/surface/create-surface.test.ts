import { describe, expect, it } from "vitest";
import { LOCAL, type Caller } from "../core/caller.ts";
import type { ItemKind } from "../core/item.ts";
import type { Listing, Source } from "../core/source.ts";
import { createSurface, type SurfaceOptions } from "./create-surface.ts";

const caller = { principal: LOCAL };

/** A Source whose lists can be replaced. */
function source(name: string, lists: Partial<Record<ItemKind, string[]>>) {
  const listeners = new Set<(kind: ItemKind) => void>();
  const made = new Map<string, Listing>();
  const EMPTY: readonly Listing[] = [];
  let arrays = new Map<ItemKind, Listing[]>();
  const fill = (next: typeof lists) => {
    arrays = new Map(
      Object.entries(next).map(([kind, names]) => [
        kind as ItemKind,
        names.map((each) => {
          const key = `${kind}:${each}`;
          const load = () => ({ kind, id: each, name: each }) as never;
          const listing = made.get(key) ?? { kind: kind as ItemKind, id: each, name: each, load };
          made.set(key, listing);
          return listing;
        }),
      ]),
    );
  };
  fill(lists);
  const self: Source = {
    name,
    items: <K extends ItemKind>(kind: K) => (arrays.get(kind) ?? EMPTY) as readonly Listing<K>[],
    run: () => Promise.reject(new Error("not here")),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    self,
    replace(next: typeof lists, ...kinds: ItemKind[]) {
      fill(next);
      for (const kind of kinds) for (const listener of listeners) listener(kind);
    },
  };
}

function surfaceOf(sources: Source[], options: Partial<SurfaceOptions> = {}) {
  return createSurface({ sources, nameStyle: "wire", isListed: () => true, ...options });
}

describe("a view", () => {
  it("lists all sources in one order, in the wire spelling", () => {
    const view = surfaceOf([
      source("operations", { tool: ["tool_call", "system.health"] }).self,
      source("authored", { tool: ["a.b", "zeta"] }).self,
    ]).view(caller);
    expect(view.list("tool").map(({ name }) => name)).toEqual(["a_b", "system_health", "tool_call", "zeta"]);
  });

  it("lists the author's spelling when the operator wants that, in the same order", () => {
    const view = surfaceOf([source("authored", { tool: ["b.x", "a_y"] }).self], { nameStyle: "dotted" }).view(caller);
    expect(view.list("tool").map(({ name }) => name)).toEqual(["a_y", "b.x"]);
  });

  it("finds by either spelling, also what is not listed", () => {
    const view = surfaceOf([source("authored", { tool: ["text.upper", "ns:x"] }).self], {
      isListed: ({ name }) => name !== "ns:x",
    }).view(caller);
    expect(view.find("tool", "text.upper")?.listing.id).toBe("text.upper");
    expect(view.find("tool", "text_upper")?.listing.id).toBe("text.upper");
    expect(view.find("tool", "ns_x")?.listing.id).toBe("ns:x");
    expect(view.list("tool")).toHaveLength(1);
    expect(view.find("tool", "__proto__")).toBeUndefined();
  });

  it("gives the second of two equal names a short hash that survives a restart", () => {
    const make = () =>
      surfaceOf([source("first", { tool: ["same"] }).self, source("second", { tool: ["same"] }).self])
        .view(caller)
        .list("tool");
    const names = make().map(({ name }) => name);
    expect(names[0]).toBe("same");
    expect(names[1]).toMatch(/^same_[0-9a-f]{8}$/);
    expect(make().map(({ name }) => name)).toEqual(names);
  });

  it("stays the same object until something changed", () => {
    const tools = source("authored", { tool: ["a", "c"] });
    const surface = surfaceOf([tools.self]);
    const before = surface.view(caller);
    expect(surface.view({ ...caller, channel: "other" })).toBe(before);
    tools.replace({ tool: ["a", "b", "c"] }, "tool");
    const after = surface.view(caller);
    expect(after.version).not.toBe(before.version);
    expect(before.list("tool")).toHaveLength(2);
    // What did not change is not made anew.
    expect(after.list("tool")[2]).toBe(before.list("tool")[1]);
  });

  it("is let go of when many callers who see something else have come since", () => {
    const lists = new Map<string, readonly Listing[]>();
    const personal: Source = {
      ...source("own", {}).self,
      items: <K extends ItemKind>(_kind: K, { principal: { id } }: Caller) => {
        if (!lists.has(id)) lists.set(id, []);
        return lists.get(id) as readonly Listing<K>[];
      },
    };
    const surface = surfaceOf([personal]);
    const seenBy = (id: string) => surface.view({ principal: { ...LOCAL, id } });
    const first = seenBy("first");
    for (let other = 0; other < 15; other++) seenBy(`other-${other}`);
    expect(seenBy("first")).toBe(first);
    for (let other = 0; other < 16; other++) seenBy(`other-${other}`);
    expect(seenBy("first")).not.toBe(first);
  });

  it("finds resources by URI, then by the first template that fits", () => {
    const view = surfaceOf([
      source("pack", { resource: ["test://item/fixed"], template: ["test://item/{id}", "file:///{+path}"] }).self,
    ]).view(caller);
    expect(view.findResource("test://item/fixed", caller)).toMatchObject({ named: { listing: { kind: "resource" } } });
    expect(view.findResource("test://item/a%20b", caller)).toMatchObject({ variables: { id: "a b" } });
    expect(view.findResource("file:///x/y.txt", caller)).toMatchObject({ variables: { path: "x/y.txt" } });
    expect(view.findResource("test://item/a/b", caller)).toBeUndefined();
    expect(view.findResource("test://item/%E0%A4%A", caller)).toBeUndefined();
  });
});

describe("changes", () => {
  it("come once for a burst, with the kinds that changed", async () => {
    const tools = source("authored", { tool: ["a"] });
    const surface = surfaceOf([tools.self]);
    const seen: string[][] = [];
    const end = surface.onChange((kinds) => seen.push([...kinds]));
    tools.replace({ tool: ["b"] }, "tool", "tool", "prompt");
    await Promise.resolve();
    expect(seen).toEqual([["tool", "prompt"]]);
    end();
    tools.replace({ tool: ["c"] }, "tool");
    await Promise.resolve();
    expect(seen).toHaveLength(1);
  });
});
