import { assert, json, property } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../core/json.ts";
import { canonicalJson, digestOf } from "./digest.ts";

describe("the canonical form", () => {
  it("sorts keys by code units, at every level", () => {
    const value = JSON.parse(
      '{"b":{"z":1,"a":[{"y":1,"x":2}]},"a":"\\u2028","__proto__":{"c":1,"B":2},"10":0,"9":0}',
    ) as Json;
    expect(canonicalJson(value)).toBe(
      '{"10":0,"9":0,"__proto__":{"B":2,"c":1},"a":"\u2028","b":{"a":[{"x":2,"y":1}],"z":1}}',
    );
  });

  it("is the value again when it is read, and its own canonical form", () => {
    assert(
      property(json(), (text) => {
        const value = JSON.parse(text) as Json;
        const canonical = canonicalJson(value);
        expect(JSON.parse(canonical)).toEqual(value);
        expect(canonicalJson(JSON.parse(canonical) as Json)).toBe(canonical);
      }),
    );
  });

  it("has the digest of its UTF-8 bytes", () => {
    expect(digestOf({})).toBe("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  });

  it("refuses what is nested deeper than can be walked", () => {
    const deep = JSON.parse("[".repeat(200_000) + "]".repeat(200_000)) as Json;
    expect(() => digestOf(deep)).toThrow(expect.objectContaining({ code: "TOO_LARGE" }));
  });
});
