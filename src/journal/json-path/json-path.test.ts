import { describe, expect, it } from "vitest";
import type { Json } from "../../core/json.ts";
import { Budget } from "../budget.ts";
import { evaluateJsonPath, pathOf } from "./evaluate.ts";
import { parseJsonPath } from "./parse.ts";

function find(path: string, root: Json, ms = 1_000): { values: Json[]; paths: string[] } {
  const values: Json[] = [];
  const paths: string[] = [];
  evaluateJsonPath(parseJsonPath(path), root, new Budget(ms), (place) => {
    values.push(place.value);
    paths.push(pathOf(place));
  });
  return { values, paths };
}

/** The example of RFC 9535, section 1.5. */
const BOOKS = {
  store: {
    book: [
      { category: "reference", author: "Nigel Rees", title: "Sayings of the Century", price: 8.95 },
      { category: "fiction", author: "Evelyn Waugh", title: "Sword of Honour", price: 12.99 },
      { category: "fiction", author: "Herman Melville", title: "Moby Dick", isbn: "0-553-21311-3", price: 8.99 },
      {
        category: "fiction",
        author: "J. R. R. Tolkien",
        title: "The Lord of the Rings",
        isbn: "0-395-19395-8",
        price: 22.99,
      },
    ],
    bicycle: { color: "red", price: 399 },
  },
};
const book = (at: number) => BOOKS.store.book[at] as Json;

describe("a path", () => {
  it.each<[string, Json[]]>([
    ["$.store.book[*].author", BOOKS.store.book.map(({ author }) => author)],
    ["$..author", BOOKS.store.book.map(({ author }) => author)],
    ["$.store.*", [BOOKS.store.book, BOOKS.store.bicycle]],
    ["$.store..price", [8.95, 12.99, 8.99, 22.99, 399]],
    ["$..book[2]", [book(2)]],
    ["$..book[2].publisher", []],
    ["$..book[-1]", [book(3)]],
    ["$..book[0,1]", [book(0), book(1)]],
    ["$..book[:2]", [book(0), book(1)]],
    ["$..book[?@.isbn]", [book(2), book(3)]],
    ["$..book[?@.price<10]", [book(0), book(2)]],
  ])("of the specification's example: %s", (path, expected) => {
    expect(find(path, BOOKS).values).toEqual(expected);
  });

  const LIST = ["a", "b", "c", "d", "e", "f", "g"];
  it.each<[string, Json, Json[]]>([
    ["$", { k: 1 }, [{ k: 1 }]],
    ["$[1:3]", LIST, ["b", "c"]],
    ["$[5:]", LIST, ["f", "g"]],
    ["$[1:5:2]", LIST, ["b", "d"]],
    ["$[5:1:-2]", LIST, ["f", "d"]],
    ["$[::-1]", LIST, LIST.toReversed()],
    ["$[1:5:0]", LIST, []],
    ["$[-2:]", LIST, ["f", "g"]],
    ["$[7]", LIST, []],
    ["$[-8]", LIST, []],
    ["$['a b']", { "a b": 1 }, [1]],
    [`$["'"]['"']`, { "'": { '"': 2 } }, [2]],
    [String.raw`$['\'\\"']`, { "'\\\"": 3 }, [3]],
    [String.raw`$["☺"]`, { "☺": 4 }, [4]],
    ["$ .a [ 0 , 1 ]", { a: [1, 2] }, [1, 2]],
    ["$.a.b", { a: "b" }, []],
    ["$.length", LIST, []],
    ["$.__proto__", { a: 1 }, []],
    ["$.constructor", {}, []],
    ["$[?@ > 1 && @ <= 3]", [0, 1, 2, 3, 4], [2, 3]],
    ["$[?@ == 1 || !(@ < 4)]", [0, 1, 2, 3, 4], [1, 4]],
    ["$[?!@.a]", [{ a: null }, { b: 1 }], [{ b: 1 }]],
    [
      "$[?@.a == @.b]",
      [{}, { a: 1 }, { a: [1, { x: 2 }], b: [1, { x: 2 }] }],
      [{}, { a: [1, { x: 2 }], b: [1, { x: 2 }] }],
    ],
    ["$[?@.a == $[0].a]", [{ a: 1 }, { a: 2 }, { a: 1 }], [{ a: 1 }, { a: 1 }]],
    ["$[?@ == 'x']", ["x", "y"], ["x"]],
    ["$[?@ < 2]", ["1", 1, null, true], [1]],
    ["$[?@ != null]", [null, 0, false], [0, false]],
    ["$[?length(@) == 1]", ["\u{1f980}", "ab", [1], { a: 1 }, 5], ["\u{1f980}", [1], { a: 1 }]],
    ["$[?count(@.*) > 1]", [[1], [1, 2], { a: 1, b: 2 }], [[1, 2], { a: 1, b: 2 }]],
    ["$[?value(@..x) == 1]", [{ a: { x: 1 } }, { x: 1, a: { x: 1 } }], [{ a: { x: 1 } }]],
    ["$[?@.x >= -1.5e1]", [{ x: -15 }, { x: -16 }], [{ x: -15 }]],
    ["$.o[*, 'a']", { o: { a: 1, b: 2 } }, [1, 2, 1]],
    ["$..[0]", [[1, [2]], 3], [[1, [2]], 1, 2]],
  ])("%s", (path, root, expected) => {
    expect(find(path, root).values).toEqual(expected);
  });

  it("tells where each value is", () => {
    expect(find("$..x", { "it's": [{ x: 1 }], '"': { x: 2 } }).paths).toEqual([
      String.raw`$['it\'s'][0]['x']`,
      `$['"']['x']`,
    ]);
  });

  it.each([
    "",
    "a",
    "$.",
    "$..",
    "$[",
    "$[]",
    "$['a",
    "$[1",
    "$[01]",
    "$.a b",
    "$[?]",
    "$[?@.a ==]",
    "$[?@.a = 1]",
    "$[?1]",
    "$[?@..a == 1]",
    "$[?@.a == @[*]]",
    "$[?match(@, 'a+')]",
    "$[?eval('1')]",
    "$[?(@.a]",
    "$['\\x']",
    "$[?count(1) > 1]",
    `$${"[?(".repeat(60)}`,
    `$${".a".repeat(1_001)}`,
  ])("that is not valid is refused: %s", (path) => {
    // prettier-ignore
    expect(() => parseJsonPath(path)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENTS" }));
  });
});

describe("a search that costs too much", () => {
  it("is given up in time", () => {
    const root: Json = Array.from({ length: 3_000 }, (_, n) => ({ n }));
    const startedAt = performance.now();
    // Every entry looks at every other one for every other one: 27 thousand millions of steps.
    const path = "$[?count($[?count($[?@.n >= 0]) > 1]) > 1]";
    expect(() => find(path, root, 50)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENTS" }));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it("is refused in a value that would fill the stack", () => {
    const deep = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels)) as Json;
    expect(find("$..x", deep(400)).values).toEqual([]);
    expect(() => find("$..x", deep(5_000))).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENTS" }));
  });
});
