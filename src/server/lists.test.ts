import { describe, expect, it } from "vitest";
import { LOCAL } from "../core/caller.ts";
import type { ToolItem } from "../core/item.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { Listing, Source } from "../core/source.ts";
import type { Named, Surface } from "../surface/surface.ts";
import { writeCursor } from "./cursor.ts";
import { createLists } from "./lists.ts";
import { createResultWriter } from "./results.ts";

const source: Source = {
  name: "test",
  items: () => [],
  run: () => Promise.reject(new Error("must not be reached")),
  onChange: () => () => {},
};

/** A surface with tools of these names; loading one is counted. */
function world(names: string[], schema: Partial<ToolItem> = {}, text?: (name: string) => string | undefined) {
  let [version, loads] = [1, 0];
  const toolOf = (name: string): Named<"tool"> => {
    const item: ToolItem = { kind: "tool", id: name, name, revision: 1, inputSchema: { type: "object" }, ...schema };
    const load = () => (loads++, item);
    const listing: Listing<"tool"> = { kind: "tool", id: name, name, load, ...(text ? { text } : {}) };
    return { name, listing, source, load };
  };
  let tools = names.map(toolOf);
  const surface: Surface = {
    view: () => ({
      version: String(version),
      listVersion: () => String(version),
      exposure: "direct",
      list: (kind) => (kind === "tool" ? tools : []) as never,
      all: (kind) => (kind === "tool" ? tools : []) as never,
      findInGroup: () => undefined,
      find: (_kind, name) => tools.find((each) => each.name === name) as never,
      findResource: () => undefined,
    }),
    onChange: () => () => {},
    onResourceUpdated: () => () => {},
    watch: () => () => {},
    onMessage: () => () => {},
    rootsChanged() {},
  };
  const writer = createResultWriter({ name: "test", version: "1" });
  const lists = createLists({ surface, writer, pageSize: 3, hint: { ttlMs: 0, cacheScope: "private" } });
  const page = (cursor?: string, era: "legacy" | "modern" = "legacy") => {
    const { bytes, rest } = lists.page("tools/list", era, { principal: LOCAL }, cursor);
    const parsed = JSON.parse(bytes.toString() + rest) as JsonObject;
    const list = parsed["tools"] as JsonObject[];
    return {
      parsed,
      names: list.map((tool) => String(tool["name"])),
      next: parsed["nextCursor"] as string | undefined,
    };
  };
  return {
    lists,
    page,
    loads: () => loads,
    change(next: string[]) {
      version++;
      tools = next.map((name) => tools.find((each) => each.name === name) ?? toolOf(name));
    },
  };
}

describe("pages", () => {
  it("go over the list once; a list that just fits has one", () => {
    const { page } = world(["a", "b", "c", "d"]);
    expect(page()).toMatchObject({ names: ["a", "b", "c"] });
    expect(page(page().next)).toMatchObject({ names: ["d"], next: undefined });
    expect(world(["a", "b", "c"]).page().next).toBeUndefined();
    expect(world([]).page()).toMatchObject({ names: [], next: undefined });
  });

  it("lose and repeat nothing that stays while the list changes between two of them [mcp-pages]", () => {
    const { page, change } = world(["b", "d", "f", "h"]);
    const { next } = page();
    change(["a", "b", "c", "d", "e", "f", "g", "h"]);
    expect(page(next).names).toEqual(["g", "h"]);
    change(["a", "g", "h"]); // the last of the page before is gone
    expect(page(next).names).toEqual(["g", "h"]);
  });

  it("are the same bytes until something changes, and one change loads one item", () => {
    const { lists, page, change, loads } = world(["a", "b", "c"]);
    const bytes = () => lists.page("tools/list", "legacy", { principal: LOCAL }, undefined).bytes;
    expect(bytes()).toBe(bytes());
    expect(loads()).toBe(3);
    change(["a", "a2", "b"]);
    expect(page().names).toEqual(["a", "a2", "b"]);
    expect(loads()).toBe(4);
  });

  it.each([
    ["nonsense", "x"],
    ["what is no base64url", "a b"],
    ["the cursor of another list", writeCursor("prompt", { version: "1", offset: 3, after: "c" })],
    ["JSON of another shape", Buffer.from("[1]").toString("base64url")],
    ["a place before the beginning", writeCursor("tool", { version: "1", offset: -1, after: "c" })],
    ["an empty text", ""],
  ])("refuse %s as a cursor", (_what, cursor) => {
    expect(() => world(["a"]).page(cursor)).toThrow(expect.objectContaining({ code: "INVALID_CURSOR" }));
  });

  it("take a line as its Source has it, without loading it, for both eras at once", () => {
    const { page, lists, loads } = world(["a", "b"], {}, (name) => `{"name":"${name}","x":12345678901234567890}`);
    const bytes = (era: "legacy" | "modern") => lists.page("tools/list", era, { principal: LOCAL }, undefined).bytes;
    expect(page().names).toEqual(["a", "b"]);
    expect(bytes("modern")).toBe(bytes("legacy"));
    expect(bytes("modern").toString()).toContain("12345678901234567890");
    expect(loads()).toBe(0);
  });

  it.each([
    ["none", undefined],
    ["one of several lines", '{\n"name":"evil"}'],
    ["one with a lone return", '{\r"name":"evil"}'],
  ])("load an item whose text is %s", (_what, text) => {
    const { page, loads } = world(["a"], {}, () => text);
    expect(page().names).toEqual(["a"]);
    expect(loads()).toBe(1);
  });

  it("say in 2026-07-28 how long they may be kept", () => {
    const { parsed } = world(["a", "b", "c", "d"]).page(undefined, "modern");
    expect(parsed).toMatchObject({ resultType: "complete", ttlMs: 0, cacheScope: "private" });
    expect(parsed["nextCursor"]).toBeTypeOf("string");
  });
});

describe("output schemas that are no objects", () => {
  const outputSchema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "array",
    items: { $ref: "#/$defs/n" },
    $defs: { n: { type: "number", const: { $ref: "#/data" } }, own: { $id: "https://x.example/s", $ref: "#/y" } },
  };

  it("are wrapped for the older era, with references that still hold", () => {
    const { page, lists } = world(["a"], { outputSchema });
    const listed = (page().parsed["tools"] as JsonObject[])[0]?.["outputSchema"];
    expect(listed).toEqual({
      $schema: outputSchema.$schema,
      type: "object",
      required: ["result"],
      properties: {
        result: {
          type: "array",
          items: { $ref: "#/properties/result/$defs/n" },
          $defs: { n: { type: "number", const: { $ref: "#/data" } }, own: { $id: "https://x.example/s", $ref: "#/y" } },
        },
      },
    });
    expect(lists.traitsOf({ principal: LOCAL }, "a")?.isWrapped).toBe(true);
  });

  it("stay as they are in 2026-07-28", () => {
    const tools = world(["a"], { outputSchema }).page(undefined, "modern").parsed["tools"] as JsonObject[];
    expect(isJsonObject(tools[0]) && tools[0]["outputSchema"]).toEqual(outputSchema);
  });
});

it("finds the arguments that clients repeat as headers", () => {
  const inner = { type: "object", properties: { id: { type: "integer", "x-mcp-header": "Item-Id" } } };
  const inputSchema = { type: "object", properties: { region: { type: "string", "x-mcp-header": "Region" }, inner } };
  expect(world(["a"], { inputSchema }).lists.traitsOf({ principal: LOCAL }, "a")?.headers).toEqual([
    { path: ["region"], header: "region", isNumber: false },
    { path: ["inner", "id"], header: "item-id", isNumber: true },
  ]);
});
