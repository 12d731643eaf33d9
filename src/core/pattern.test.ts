import { assert, constantFrom, property, array } from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesPattern } from "./pattern.ts";

describe("patterns", () => {
  it.each([
    ["a", "a"],
    ["*", ""],
    ["*", "anything"],
    ["a*", "a"],
    ["*a", "ba"],
    ["a*c", "abc"],
    ["a*b*c", "a1b2c"],
    ["**", "x"],
    ["a.*", "a.b"],
  ])("%s means %j", (pattern, text) => expect(matchesPattern(pattern, text)).toBe(true));

  it.each([
    ["a", "A"],
    ["", "a"],
    ["a*", "ba"],
    ["*a", "ab"],
    ["a*a", "a"],
    ["a*b*c", "acb"],
    ["ab*bc", "abc"],
    ["a.c", "abc"],
  ])("%s does not mean %j", (pattern, text) => expect(matchesPattern(pattern, text)).toBe(false));

  it("agrees with a regular expression", () => {
    const texts = (...letters: string[]) =>
      array(constantFrom(...letters), { maxLength: 12 }).map((all) => all.join(""));
    assert(
      property(texts("a", "b", "*"), texts("a", "b"), (pattern, text) => {
        expect(matchesPattern(pattern, text)).toBe(new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(text));
      }),
    );
  });
});
