import { describe, expect, it } from "vitest";
import { assertToolName, nearest, wireName } from "./names.ts";

describe("tool names", () => {
  it.each(["a", "text.upper", "ns:tool-2_b", `x${"y".repeat(63)}`])("accepts %s", (name) => {
    expect(() => assertToolName(name)).not.toThrow();
    expect(wireName(name)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });

  it.each(["", "1st", "_x", "has space", "naïve", "🔧", "a/b", "a\n", `x${"y".repeat(64)}`])("refuses %j", (name) => {
    expect(() => assertToolName(name)).toThrow(expect.objectContaining({ code: "INVALID_NAME" }));
  });

  it("shortens a huge name in the message", () => {
    expect(() => assertToolName("x".repeat(2_000_000))).toThrow(/^.{1,250}$/);
  });
});

describe("nearest", () => {
  const known = ["dynamic_tool_create", "text_upper", "system_health"];
  it.each([
    ["text.uper", "text_upper"],
    ["systemHealth", "system_health"],
    ["dynamic-tool-creat", "dynamic_tool_create"],
    ["weather", undefined],
    ["", undefined],
  ])("%s -> %s", (word, expected) => {
    expect(nearest(word, known)).toBe(expected);
  });
});
