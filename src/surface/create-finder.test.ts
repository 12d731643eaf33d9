import { describe, expect, it, vi } from "vitest";
import type { CallRecord } from "../core/call.ts";
import { LOCAL, type Caller } from "../core/caller.ts";
import type { ToolItem } from "../core/item.ts";
import { SILENT, type Listing, type Source } from "../core/source.ts";
import type { Signal, SignalStore } from "../store/store.ts";
import { createFinder } from "./create-finder.ts";
import { createSurface } from "./create-surface.ts";

type Tool = { name: string; description?: string; inputSchema?: unknown; group?: string };

/** A Source whose tools can be replaced, and which counts how often one is read. */
function source(name: string, listFor: (caller: Caller) => readonly Listing<"tool">[]): Source {
  return {
    name,
    items: (kind, caller) => (kind === "tool" ? listFor(caller) : NOTHING) as never,
    run: () => Promise.reject(new Error("not here")),
    onChange: () => () => {},
  };
}
const NOTHING: readonly Listing[] = [];

function setUp(tools: readonly Tool[], kept: Signal[] = []) {
  let reads = 0;
  const described: string[] = [];
  let whatFsIs = "Files and folders";
  let time = Date.UTC(2026, 0, 1);
  const listing = ({ name, group, ...rest }: Tool): Listing<"tool"> => ({
    kind: "tool",
    id: group === undefined ? name : `${group}/${name}`,
    name: group === undefined ? name : `${group}__${name}`,
    ...(group !== undefined && { group, nameInGroup: name }),
    load() {
      reads++;
      return { kind: "tool", id: name, name, revision: 1, inputSchema: {}, ...rest } as ToolItem;
    },
  });
  let lists = tools.map(listing);
  let hidden: readonly Listing<"tool">[] | undefined;
  const signals: SignalStore = {
    add: async (added) => void kept.push(...added),
    recent: async (limit) => kept.toReversed().slice(0, limit),
    prune: async () => {},
  };
  const own = source("fleet", ({ principal }) => (principal.id === "guest" ? (hidden ?? lists) : lists));
  const finder = createFinder({
    surface: createSurface({ sources: [own], nameStyle: "wire", isListed: () => true }),
    signals,
    describeServer(name) {
      described.push(name);
      return name === "fs" ? whatFsIs : undefined;
    },
    now: () => time,
    log: SILENT,
  });
  const names = (query: string, options: { group?: string; caller?: Caller; limit?: number } = {}) => {
    const { caller = ME, limit = 5, ...rest } = options;
    return finder.find(caller, query, { limit, ...rest }).hits.map(({ named }) => named.name);
  };
  return {
    finder,
    names,
    kept,
    reads: () => reads,
    described,
    redescribe: (text: string) => void (whatFsIs = text),
    wait: (ms: number) => void (time += ms),
    replace: (change: (lists: readonly Listing<"tool">[]) => readonly Listing<"tool">[]) =>
      void (lists = [...change(lists)]),
    hide: (of: readonly Listing<"tool">[]) => void (hidden = of),
    lists: () => lists,
    make: listing,
  };
}

const ME: Caller = { principal: LOCAL, channel: "one" };
const GUEST: Caller = { principal: { id: "guest", kind: "user", isAdmin: false } };
const TOOLS: Tool[] = [
  { group: "fs", name: "read_file", description: "Read a file as text" },
  { group: "fs", name: "write_file", description: "Write text to a file" },
  { group: "weather", name: "forecast", description: "Weather of the next days" },
  { name: "upper", description: "Text in capital letters" },
];

/** A call of ours that worked. */
const done = (item: string, more: Partial<CallRecord> = {}): CallRecord => ({
  id: "1",
  at: "2026-01-01T00:00:00.000Z",
  requestId: "1",
  principal: "local",
  channel: "one",
  kind: "tool",
  name: item,
  source: "fleet",
  item,
  outcome: "done",
  durationMs: 1,
  ...more,
});

describe("a finder", () => {
  it("reads nothing before the first search, each tool once, and then what is new", () => {
    const { names, reads, replace, make } = setUp(TOOLS);
    expect(reads()).toBe(0);
    expect(names("read a file")[0]).toBe("fs__read_file");
    names("something else entirely");
    expect(reads()).toBe(4);
    replace((lists) => [...lists.slice(1), make({ group: "fs", name: "delete_file", description: "Delete a file" })]);
    expect(names("delete a file")[0]).toBe("fs__delete_file");
    expect(reads()).toBe(5);
    expect(names("read_file")).not.toContain("fs__read_file");
  });

  it("asks what a server is for once, however many tools it has", () => {
    const { names, described } = setUp(TOOLS);
    expect(names("files and folders")).toContain("fs__write_file");
    expect(described.toSorted()).toEqual(["fs", "weather"]);
  });

  it("takes up what a server says of itself anew, within seconds and without reading its tools again", () => {
    const { names, redescribe, wait, reads, described } = setUp(TOOLS);
    expect(names("attachments")).toEqual([]);
    const before = reads();
    redescribe("Attachments of tickets");
    names("attachments");
    names("attachments");
    expect(described).toHaveLength(2);
    wait(5_000);
    expect(names("read attachments")[0]).toBe("fs__read_file");
    redescribe("Files and folders");
    wait(5_000);
    expect(names("attachments")).toEqual([]);
    expect(reads()).toBe(before);
  });

  it("gives a caller only what its own view holds [search-own-view]", () => {
    const { names, hide, lists } = setUp(TOOLS);
    hide(lists().slice(2));
    expect(names("read a file")).toContain("fs__read_file");
    expect(names("read a file", { caller: GUEST })).not.toContain("fs__read_file");
    expect(names("fs__read_file", { caller: GUEST })).not.toContain("fs__read_file");
  });

  it("keeps to a group, and finds by names as they are listed", () => {
    const { names } = setUp(TOOLS);
    expect(names("text", { group: "fs" }).toSorted()).toEqual(["fs__read_file", "fs__write_file"]);
    expect(names("fs__write_file")[0]).toBe("fs__write_file");
    expect(names("fs__write_file", { group: "weather" })).toEqual([]);
    expect(names("forecast")[0]).toBe("weather__forecast");
    expect(names("zzz qqq")).toEqual([]);
  });

  it("finds a tool by name whose definition cannot be read or is not what it should be", () => {
    const { names, replace, make } = setUp([
      { name: "odd", description: 7 as never, inputSchema: { properties: { a: null, __proto__: 3 } } },
      { name: "odder", inputSchema: null },
    ]);
    const broken = { ...make({ name: "broken" }), load: () => { throw new Error("no JSON"); } }; // prettier-ignore
    replace((lists) => [...lists, broken]);
    for (const name of ["odd", "odder", "broken"]) expect(names(name)[0]).toBe(name);
  });
});

describe("learning", () => {
  it("links a call that worked to the search before it, and keeps that", async () => {
    vi.useFakeTimers();
    try {
      const { finder, names, kept } = setUp(TOOLS);
      expect(names("text gizmo")).toContain("fs__write_file");
      finder.observe(done("fs/write_file"));
      finder.observe(done("fs/write_file"));
      expect(names("gizmo")).toEqual(["fs__write_file"]);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(kept).toEqual([{ query: "text gizmo", tool: "fleet/fs/write_file", at: "2026-01-01T00:00:00.000Z" }]);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each<[string, Partial<CallRecord>, number]>([
    ["failed", { outcome: "failed" }, 0],
    ["was another client's", { channel: "two" }, 0],
    ["was another person's", { principal: "guest" }, 0],
    ["came much later", {}, 6 * 60_000],
  ])("learns nothing from a call that %s", (_, more, laterMs) => {
    const { finder, names, wait } = setUp(TOOLS);
    names("text gizmo");
    wait(laterMs);
    finder.observe(done("fs/write_file", more));
    expect(names("gizmo")).toEqual([]);
  });

  it("loses nothing when it is closed before that is written, nor what is learnt afterwards", async () => {
    const { finder, names, kept } = setUp(TOOLS);
    names("text gizmo");
    finder.observe(done("fs/write_file"));
    expect(kept).toEqual([]);
    await finder.close();
    expect(kept.map(({ query }) => query)).toEqual(["text gizmo"]);
    names("file gizmo");
    finder.observe(done("fs/read_file"));
    await finder.close();
    await finder.close();
    expect(kept.map(({ query }) => query)).toEqual(["text gizmo", "file gizmo"]);
  });

  it("goes on with what earlier runs have learnt, also for tools that come later", async () => {
    const { names, replace, lists } = setUp(TOOLS, [{ query: "gizmo", tool: "fleet/weather/forecast", at: "2026" }]);
    const all = lists();
    names("anything");
    await expect.poll(() => names("gizmo")).toEqual(["weather__forecast"]);
    replace(() => all.slice(0, 2));
    expect(names("gizmo")).toEqual([]);
    replace(() => all);
    expect(names("gizmo")).toEqual(["weather__forecast"]);
  });

  it("lets one person teach at most five queries about a tool", () => {
    const { finder, names } = setUp(TOOLS);
    for (let n = 0; n < 20; n++) {
      names(`text gizmo${"abcdefghijklmnopqrst"[n]}`);
      finder.observe(done("fs/write_file"));
    }
    expect(names("gizmoe")).toEqual(["fs__write_file"]);
    expect(names("read_file")[0]).toBe("fs__read_file");
  });
});
