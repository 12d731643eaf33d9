import { expect, it } from "vitest";
import { isNestedTooDeeply } from "./nesting.ts";

const bytes = (text: string) => Buffer.from(text);
const nested = (depth: number, open = "[", close = "]") => bytes(open.repeat(depth) + close.repeat(depth));

it.each([
  ["a thousand levels", nested(1_000), false],
  ["one more", nested(1_001), true],
  ["objects and arrays together", nested(501, '{"a":[', "]}"), true],
  ["many brackets beside each other", bytes(`[${"[],".repeat(5_000)}{}]`), false],
  ["brackets in a text", bytes(JSON.stringify({ a: "[{\\".repeat(2_000), b: '"['.repeat(2_000) })), false],
  ["brackets after a text that ends in a backslash", bytes(`["\\\\",${"[".repeat(1_001)}${"]".repeat(1_001)}]`), true],
])("tells whether JSON is nested too deeply: %s", (_, json, expected) => {
  expect(isNestedTooDeeply(json)).toBe(expected);
});
