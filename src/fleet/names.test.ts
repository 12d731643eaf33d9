import { expect, it } from "vitest";
import { EMPTY_SHELF, type Shelf } from "./offer.ts";
import { rawServer } from "./fixtures/open-fleet.ts";
import { Listings, serverOfId, type Stock } from "./listings.ts";
import { namesInGroup } from "./names.ts";
import type { ServerDefinition } from "./definition.ts";

function shelfOf(...keys: string[]): Shelf {
  const lines = keys.map((name) => JSON.stringify({ name, inputSchema: { type: "object" } }));
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length);
  return keys.length === 0 ? EMPTY_SHELF : { keys, starts, text: lines.join("") };
}

function listed(...stocks: { definition: ServerDefinition; shelf: Shelf }[]) {
  const listings = new Listings("tool");
  listings.stock(stocks);
  return listings;
}

const CLIENTS_TAKE = /^[a-zA-Z0-9_-]{1,64}$/;

it("gives every tool a name that every client takes, the same whatever the order it came in", () => {
  const keys = ["plain", "with.dot", "with_dot", "a b/c", "x".repeat(60), "x".repeat(90), "天気", "地図"];
  const all = listed({ definition: rawServer("srv"), shelf: shelfOf(...keys) }).all;
  const byKey = Object.fromEntries(all.map(({ key, name }) => [key, name]));
  expect(new Set(Object.values(byKey)).size).toBe(keys.length);
  for (const name of Object.values(byKey)) expect(name).toMatch(CLIENTS_TAKE);
  expect(byKey["plain"]).toBe("srv__plain");
  expect(byKey["x".repeat(60)]).toMatch(/^srv__x{50}_[0-9a-f]{8}$/);
  const turned = listed({ definition: rawServer("srv"), shelf: shelfOf(...keys.toReversed()) }).all;
  expect(Object.fromEntries(turned.map(({ key, name }) => [key, name]))).toEqual(byKey);
});

it("holds 64 characters with the prefix, and hashes one more", () => {
  const [fits, long] = ["y".repeat(59), "z".repeat(60)];
  const { all } = listed({ definition: rawServer("srv"), shelf: shelfOf(fits, long) });
  expect(all.map(({ name }) => name)).toEqual([`srv__${fits}`, expect.stringMatching(/^srv__z{50}_[0-9a-f]{8}$/)]);
});

it("lists bare names without a prefix; the second server with a name gives way", () => {
  const bare = { prefix: "" };
  const { all } = listed(
    { definition: rawServer("a", {}, bare), shelf: shelfOf("get") },
    { definition: rawServer("b", {}, bare), shelf: shelfOf("get") },
  );
  expect(all.map(({ name, server }) => [name, server])).toEqual([
    ["get", "a"],
    [expect.stringMatching(/^get_[0-9a-f]{8}$/), "b"],
  ]);
});

it("lists what is allowed, not denied, and as it was renamed", () => {
  const tools = { allow: ["get_*", "put"], deny: ["*_secret"], rename: { put: "write", get_a: "get_b" } };
  const { all } = listed({ definition: rawServer("s", {}, { tools }), shelf: shelfOf("get_a", "get_b", "get_secret", "put", "other") }); // prettier-ignore
  expect(all.map(({ name, nameInGroup, key }) => [name, nameInGroup, key])).toEqual([
    ["s__get_a", "get_a", "get_a"], // get_b is there already
    ["s__get_b", "get_b", "get_b"],
    ["s__write", "write", "put"],
  ]);
  expect(namesInGroup({ allow: [], deny: [], rename: { a: "b", b: "a" } }, ["a", "b"])).toEqual(["b", "a"]);
});

it("renames by patterns, exact names first, and nothing to a name that is there", () => {
  const named = (rename: Record<string, string>, ...keys: string[]) => namesInGroup({ allow: [], deny: [], rename }, keys); // prettier-ignore
  expect(named({ "browser_*": "b_*", browser_x: "exact" }, "browser_click", "browser_x", "browser_", "other")).toEqual(["b_click", "exact", "b_", "other"]); // prettier-ignore
  expect(named({ "*_v1": "old_*", "get_*": "*" }, "get_v1", "get_a", "get_", "a", "aba")).toEqual(["old_get", "get_a", "get_", "a", "aba"]); // prettier-ignore
  expect(named({ "ab*ba": "<*>", "a*": "A*" }, "aba", "abba", "ab-ba")).toEqual(["Aba", "<>", "<->"]);
  expect(named({ a: "b", b: "c" }, "a", "b", "c")).toEqual(["a", "b", "c"]); // b cannot be c, so a cannot be b
  expect(named({ "a_*": "*", z: "1" }, "a_1", "z")).toEqual(["a_1", "1"]);
  expect(named({ "a*": "c*", "b*": "c*" }, "b1", "a1")).toEqual(["b1", "c1"]);
  expect(named({ "a*": "x", "b*": "*" }, "a1", "a2", "b$&")).toEqual(["x", "a2", "$&"]);
});

it("leaves URIs as they are; the first server keeps one that two have", () => {
  const listings = new Listings("resource");
  const shelf = { ...shelfOf("file:///x y"), text: shelfOf("file:///x y").text };
  listings.stock([
    { definition: rawServer("a/b"), shelf },
    { definition: rawServer("c"), shelf },
  ]);
  expect(listings.all.map(({ name, server }) => [name, server])).toEqual([["file:///x y", "a/b"]]);
  expect(serverOfId(listings.all[0]?.id ?? "")).toBe("a/b");
});

it("tells a server once what another has instead of it", () => {
  const told: string[] = [];
  const tell = (server: string, text: string) => void told.push(`${server}: ${text}`);
  const resources = new Listings("resource");
  const shelf = shelfOf("file:///x", "file:///y");
  const stocks = [
    { definition: rawServer("a"), shelf },
    { definition: rawServer("b"), shelf: shelfOf("file:///x") },
  ];
  resources.stock(stocks, tell);
  resources.stock(stocks, tell);
  expect(told).toEqual(["b: 1 of its resources is read at another server, which listed it first: file:///x (a)"]);
  resources.stock([stocks[0] as Stock, { definition: rawServer("b"), shelf }], tell);
  expect(told.slice(1)).toEqual(["b: 2 of its resources are read at other servers, which listed them first: file:///x (a), file:///y (a)"]); // prettier-ignore
  told.length = 0;
  const tools = new Listings("tool");
  const many = shelfOf(...Array.from({ length: 20 }, (_, at) => `t${at}`), "t-0", "t.0");
  const bare = { prefix: "" };
  tools.stock([{ definition: rawServer("a", {}, bare), shelf: many }, { definition: rawServer("b", {}, bare), shelf: many }], tell); // prettier-ignore
  expect(told).toEqual([expect.stringMatching(/^b: 22 of its tools have a suffix, for other servers have their names: t-0 \(a\), .* and 14 more$/)]); // prettier-ignore
});

it("keeps the array and its listings until something has changed", () => {
  const listings = new Listings("tool");
  const definition = rawServer("s");
  listings.stock([{ definition, shelf: shelfOf("a", "b") }]);
  const before = listings.all;
  expect(listings.stock([{ definition, shelf: shelfOf("b", "a") }])).toBe(false);
  expect(listings.all).toBe(before);
  expect(listings.stock([{ definition, shelf: shelfOf("a", "b", "c") }])).toBe(true);
  expect(listings.all.slice(0, 2)).toEqual(before);
  expect(listings.all[0]).toBe(before[0]);
  expect(listings.get(before[1]?.id ?? "")?.load()).toMatchObject({ name: "s__b" });
});
