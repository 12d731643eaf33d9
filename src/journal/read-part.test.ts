import { describe, expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { readPart } from "./read-part.ts";
import type { ResultPart } from "./results.ts";

const LIMIT = 50_000;

function read(text: string, part: ResultPart, limitBytes = LIMIT): JsonObject {
  const mimeType = /^[[{]/.test(text) ? "application/json" : "text/plain";
  const dates = { createdAt: "", expiresAt: "" };
  return readPart(
    { handle: "h", principal: "ann", tool: "t", mimeType, chars: text.length, text, ...dates },
    part,
    limitBytes,
  );
}

describe("reading on from an offset", () => {
  it.each([
    ["lines", "a line of text\n".repeat(10_000)],
    ["long characters", "\u6f22\u{1f980}".repeat(40_000)],
    ["what JSON escapes", '"\\\u0001'.repeat(30_000)],
  ])("gives the whole, piece by piece, each within the limit: %s", (_title, text) => {
    let whole = "";
    for (let offset: number | undefined = 0, reads = 0; offset !== undefined; reads++) {
      expect(reads).toBeLessThan(100);
      const answer = read(text, { offset, chars: 1_000_000 });
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(LIMIT);
      expect(String(answer["text"]).isWellFormed()).toBe(true);
      whole += String(answer["text"]);
      offset = answer["next"] as number | undefined;
    }
    expect(whole === text).toBe(true);
  });

  it("begins at the beginning, gives 20,000 characters, and says where it goes on", () => {
    expect(read("x".repeat(30_000), {})).toEqual({
      ...{ handle: "h", tool: "t", mimeType: "text/plain", chars: 30_000 },
      ...{ offset: 0, text: "x".repeat(20_000), next: 20_000 },
    });
    expect(read("abc", { offset: 3 })).toMatchObject({ text: "" });
    expect(read("\u{1f980}x", { chars: 1 })).toMatchObject({ text: "\u{1f980}", next: 2 });
  });

  it.each<ResultPart>([
    { offset: 4 },
    { offset: -1 },
    { offset: 0.5 },
    { offset: 0, query: "a" },
    { query: "" },
    { query: "1 2 3 4 5 6 7 8 9" },
    { jsonpath: "$.a" },
    { jsonpath: "a" },
  ])("is refused for %o", (part) => {
    expect(() => read("abc", part)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENTS" }));
  });
});

describe("reading by words", () => {
  it("finds lines that have all of them, whatever the case, with their places", () => {
    const text = "GET /a 200\nGET /b 404 Not Found\nPOST /b 200\nget /c 404";
    const { matches } = read(text, { query: "404 get" });
    expect(matches).toEqual([
      { offset: 11, text: "GET /b 404 Not Found" },
      { offset: text.indexOf("get /c"), text: "get /c 404" },
    ]);
    expect(read(text, { query: ".*" })).toMatchObject({ matches: [] });
    expect(read(text, { query: "/b" })).toMatchObject({ matches: [{ offset: 11 }, { offset: 32 }] });
  });

  it("shows of long lines what is around the words, and is bounded", () => {
    const text = "\u{1f980}".repeat(100_000) + "needle" + "\u{1f980}".repeat(100_000);
    const answer = read(text, { query: "needle" });
    const [match] = answer["matches"] as { offset: number; text: string }[];
    expect(match?.text).toContain("needle");
    expect(match?.text.length).toBeLessThan(1_000);
    expect(match?.text.isWellFormed()).toBe(true);
    expect(text.slice(match?.offset, (match?.offset ?? 0) + 500)).toBe(match?.text.slice(0, 500));
    const many = read("ab ".repeat(1_000_000), { query: "ab" });
    expect(many["more"]).toBe(true);
    expect(Buffer.byteLength(JSON.stringify(many))).toBeLessThan(LIMIT);
  });

  it("finds the smallest members of JSON without lines, with their paths", () => {
    const people = Array.from({ length: 500 }, (_, n) => ({
      id: n,
      name: `person ${n}`,
      city: n % 7 ? "Rome" : "Oslo",
    }));
    const json = JSON.stringify({ people });
    expect(read(json, { query: "person 77 oslo" })["matches"]).toEqual([
      { path: "$['people'][77]", value: people[77] },
    ]);
    expect(read(json, { query: "499" })["matches"]).toEqual([
      { path: "$['people'][499]['id']", value: 499 },
      { path: "$['people'][499]['name']", value: "person 499" },
    ]);
  });
});

describe("reading by path", () => {
  const json = JSON.stringify({ list: Array.from({ length: 20_000 }, (_, n) => ({ n })) });

  it("gives the values there", () => {
    expect(read(json, { jsonpath: "$.list[-2:].n" })).toMatchObject({ values: [19_998, 19_999] });
    expect(read(json, { jsonpath: "$.nothing" })).toMatchObject({ values: [] });
  });

  it("gives as many as fit, and says that there are more", () => {
    const answer = read(json, { jsonpath: "$.list[*]", chars: 1_000 });
    expect(answer["more"]).toBe(true);
    expect((answer["values"] as unknown[]).length).toBeGreaterThan(80);
    expect(JSON.stringify(answer["values"]).length).toBeLessThanOrEqual(1_001);
  });

  it("tells what a value is that alone is too large", () => {
    expect(read(json, { jsonpath: "$.list" })["values"]).toEqual([
      { "too large": { path: "$['list']", type: "array", length: 20_000 } },
    ]);
    expect(read(json, { jsonpath: "$" })["values"]).toEqual([
      { "too large": { path: "$", type: "object", keys: ["list"] } },
    ]);
  });

  it("is given up in JSON that is nested too deeply", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    for (const part of [{ jsonpath: "$" }, { jsonpath: "$..x" }, { query: "x" }])
      expect(() => read(deep, part)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENTS" }));
    expect(read(deep, { offset: 0 })).toMatchObject({ next: 20_000 });
  });
});
