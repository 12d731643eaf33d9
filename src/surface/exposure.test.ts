import { describe, expect, it } from "vitest";
import { LOCAL, type Caller } from "../core/caller.ts";
import type { Exposure } from "../core/exposure.ts";
import type { ChannelMessage, LogMessage, Listing, Source } from "../core/source.ts";
import { createSurface } from "./create-surface.ts";
import type { Exposed } from "./exposure.ts";

const caller: Caller = { principal: LOCAL };
const FIXED: Record<string, Exposed> = { find: "search", groups: "groups" };

/** Built-in tools have a toolset; `find` and `groups` stand in the place of others. */
function source(name: string, tools: Partial<Listing<"tool">>[], more: Partial<Source> = {}): Source {
  const EMPTY: readonly Listing[] = [];
  const listings = tools.map((each): Listing<"tool"> => {
    const full = { kind: "tool" as const, id: each.name ?? "", name: "", load: () => ({}) as never, ...each };
    return full;
  });
  return {
    name,
    items: ((kind) => (kind === "tool" ? listings : EMPTY)) as Source["items"],
    run: () => Promise.reject(new Error("not here")),
    onChange: () => () => {},
    ...more,
  };
}

const OWN = source("operations", [
  { name: "health", toolset: "system", chars: 100 },
  { name: "find", toolset: "find", chars: 0 },
  { name: "get", toolset: "groups", chars: 0 },
]);

function surfaceOf(tools: Partial<Listing<"tool">>[], exposure?: Exposure, budgetTokens = 1_000) {
  return createSurface({
    sources: [OWN, source("fleet", tools)],
    nameStyle: "wire",
    isListed: ({ toolset = "" }, _source, _exposed, inUse) =>
      toolset in FIXED ? inUse.has(FIXED[toolset] ?? "direct") : true,
    ...(exposure && { exposure }),
    budgetTokens,
  });
}
const names = (surface: ReturnType<typeof surfaceOf>, by: Caller = caller) =>
  surface.view(by).list("tool").map(({ name }) => name); // prettier-ignore

describe("exposure", () => {
  it.each<[Exposure, string[]]>([
    ["direct", ["a", "b", "health"]],
    ["search", ["find", "health"]],
    ["code", ["health"]],
    ["groups", ["get", "health"]],
  ])("%s lists what stands for the others, and takes nothing away", (exposure, listed) => {
    const surface = surfaceOf([{ name: "a" }, { name: "b" }], exposure);
    expect(names(surface)).toEqual(listed);
    const view = surface.view(caller);
    expect(view.exposure).toBe(exposure);
    expect(view.all("tool")).toHaveLength(5);
    expect(view.find("tool", "a")?.name).toBe("a");
  });

  it("auto lists everything up to the budget, and searches from the next character on", () => {
    const tools = (chars: number) => [
      { name: "a", chars: 1_900 },
      { name: "b", chars },
    ];
    const within = surfaceOf(tools(2_000), "auto");
    expect([within.view(caller).exposure, names(within)]).toEqual(["direct", ["a", "b", "health"]]);
    const beyond = surfaceOf(tools(2_001), "auto");
    expect([beyond.view(caller).exposure, names(beyond)]).toEqual(["search", ["find", "health"]]);
  });

  it("auto guesses the size of what does not say", () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `t${at}` }));
    expect(surfaceOf(many(4), "auto").view(caller).exposure).toBe("direct");
    expect(surfaceOf(many(20), "auto").view(caller).exposure).toBe("search");
  });

  it("a server's own wish goes before the address, and that before the setting", () => {
    const surface = surfaceOf(
      [{ name: "a", expose: "direct" }, { name: "b" }, { name: "c", expose: "groups" }],
      "search",
    );
    expect(names(surface)).toEqual(["a", "find", "get", "health"]);
    expect(names(surface, { ...caller, exposure: "direct" })).toEqual(["a", "b", "get", "health"]);
    expect(surface.view({ ...caller, exposure: "direct" }).exposure).toBe("direct");
    // Who asks for what is usual shares the view of those who ask for nothing.
    expect(surface.view({ ...caller, exposure: "search" })).toBe(surface.view(caller));
  });

  it("finds tools by their server's names", () => {
    const surface = surfaceOf([
      { name: "x__ls", group: "x", nameInGroup: "ls" },
      { name: "y__ls", group: "y", nameInGroup: "ls" },
    ]);
    const view = surface.view(caller);
    expect(view.findInGroup("y", "ls")?.name).toBe("y__ls");
    expect(view.findInGroup("y", "__proto__")).toBeUndefined();
    expect(view.findInGroup("z", "ls")).toBeUndefined();
  });
});

describe("resources of other servers", () => {
  const LISTS: Record<string, Listing[]> = {};
  const listing = (kind: "resource" | "template", name: string): Listing => ({ kind, id: `id of ${name}`, name, load: () => ({}) as never }); // prettier-ignore
  LISTS["resource"] = [listing("resource", "a://listed")];
  LISTS["template"] = [listing("template", "{+all}"), listing("template", "a://x/{id}"), listing("template", "a://x/deep-{id}")]; // prettier-ignore
  const watched: string[] = [];
  const lists = source("lists", [], {
    items: ((kind) => LISTS[kind] ?? TOOLS) as Source["items"],
    watch(uri, id) {
      watched.push(`${uri} ${id}`);
      return () => watched.push(`end of ${uri}`);
    },
  });
  const TOOLS: readonly Listing[] = [];
  const claimer = source("claimer", [], {
    claims: (uri, by) => (uri.startsWith("b://") && by.principal.id === "local" ? `claimed ${uri}` : undefined),
  });
  const surface = createSurface({ sources: [lists, claimer], nameStyle: "wire", isListed: () => true });
  const find = (uri: string) => surface.view(caller).findResource(uri, caller);

  it("are found listed, by the narrowest template, by who has handed them out, by whatever takes them", () => {
    expect(find("a://listed")).toMatchObject({ named: { listing: { id: "id of a://listed" } } });
    expect(find("a://x/1")).toMatchObject({ named: { name: "a://x/{id}" }, variables: { id: "1" } });
    expect(find("a://x/deep-1")).toMatchObject({ named: { name: "a://x/deep-{id}" }, variables: { id: "1" } });
    expect(find("b://handed/out")).toEqual({ source: claimer, id: "claimed b://handed/out" });
    expect(find("c://else")).toMatchObject({ named: { name: "{+all}" }, variables: { all: "c://else" } });
    const other = { principal: { ...LOCAL, id: "other" } };
    expect(surface.view(other).findResource("b://handed/out", other)).toMatchObject({ named: { name: "{+all}" } });
  });

  it("are watched by those whose they are, and by nobody else", () => {
    surface.watch("a://x/1", caller)();
    surface.watch("b://handed/out", caller)();
    expect(watched).toEqual(["a://x/1 id of a://x/{id}", "end of a://x/1"]);
    const nothing = createSurface({ sources: [claimer], nameStyle: "wire", isListed: () => true });
    expect(() => nothing.watch("z://", caller)()).not.toThrow();
  });

  it("come with log lines of all sources, until the end of interest", () => {
    const listeners = new Set<(message: LogMessage) => void>();
    const talking = source("talking", [], {
      onMessage(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    });
    const seen: ChannelMessage[] = [];
    const end = createSurface({ sources: [OWN, talking], nameStyle: "wire", isListed: () => true }).onMessage((each) => seen.push(each)); // prettier-ignore
    for (const tell of listeners) tell({ level: "info", data: "hi", channel: "c" });
    expect(seen).toEqual([{ level: "info", data: "hi", channel: "c" }]);
    end();
    expect(listeners.size).toBe(0);
  });
});
