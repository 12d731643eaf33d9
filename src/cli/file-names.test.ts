import { describe, expect, it } from "vitest";
import { fileBases } from "./file-names.ts";

describe("fileBases", () => {
  it.each([
    ["text.upper", ["text.upper"], "text_upper"],
    ["text.Upper", ["text.Upper"], "text_Upper"],
    ["text.upper", ["text.upper", "text.Upper"], "text_upper"],
    ["text.Upper", ["text.upper", "text.Upper"], "text_Upper+20"],
    ["con", ["con"], "con+0"],
    ["Nul", ["Nul"], "Nul+1"],
    ["com1", [], "com1+0"],
    ["console", ["console"], "console"],
  ])("calls the files of %s among %j %s", (name, all, expected) => {
    expect(fileBases(all)(name)).toBe(expected);
  });

  it("gives no two tools files that are one where capitals do not count", () => {
    const all = [
      "ab.c",
      "Ab.c",
      "aB.c",
      "AB.c",
      "AB.C",
      "con",
      "CON",
      "Con",
      "con_0",
      `${"a".repeat(63)}b`,
      `${"a".repeat(63)}B`,
    ];
    const bases = all.map(fileBases(all)).map((base) => base.toLowerCase());
    expect(new Set(bases).size).toBe(all.length);
  });
});
