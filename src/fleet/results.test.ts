import { describe, expect, it } from "vitest";
import type { JsonObject } from "../core/json.ts";
import { keepRawText, rawTextOf } from "../core/raw-text.ts";
import { readInputRequests } from "./input-requests.ts";
import { passedOn } from "./results.ts";

/** As it comes over a wire. */
function came(text: string): JsonObject {
  const result = JSON.parse(text) as JsonObject;
  keepRawText(result, text);
  return result;
}

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

describe("a result", () => {
  it("goes on with its text, without its type", () => {
    for (const text of ['{"content":[],"x":1e400}', '{"resultType":"complete","content":[]}', '{"content":[],"resultType":"complete"}']) {
      const result = passedOn(came(text), "s");
      expect(result).not.toHaveProperty("resultType");
      expect(rawTextOf(result)).toBe(text.replace(/"resultType":"complete",|,"resultType":"complete"/, ""));
    }
  }); // prettier-ignore

  it("of a resource does not say how long it may be kept: that is ours to say", () => {
    const read = '{"resultType":"complete","contents":[],"ttlMs":5,"cacheScope":"public","own":1}';
    const result = passedOn(came(read), "s");
    expect([result, rawTextOf(result)]).toEqual([{ contents: [], own: 1 }, undefined]);
    expect(passedOn(came('{"resultType":"complete","content":[],"ttlMs":5}'), "s")).toEqual({ content: [], ttlMs: 5 });
    expect(passedOn(came('{"contents":[],"ttlMs":5}'), "s")).toEqual({ contents: [], ttlMs: 5 }); // an older server's own
  });

  it("that is nested so deep that it could be read and not written fails, and nothing else", () => {
    const deepest = came(`{"content":[],"structuredContent":${nested(999)}}`);
    expect(passedOn(deepest, "s")).toBe(deepest);
    expect(JSON.stringify(deepest)).toBe(rawTextOf(deepest));
    for (const levels of [1_000, 100_000]) {
      const deep = came(`{"content":[],"structuredContent":${nested(levels)}}`);
      expect(() => passedOn(deep, "s")).toThrow(expect.objectContaining({ code: "UPSTREAM_INVALID" }) as Error);
    }
    const asks = came(`{"inputRequests":{"a":{"method":"roots/list","params":{"x":${nested(5_000)}}}}}`);
    expect(() => readInputRequests(asks, "s")).toThrow(expect.objectContaining({ code: "UPSTREAM_INVALID" }) as Error);
  });
});
