import { describe, expect, it } from "vitest";
import { readSummary } from "./body.ts";

const WHOLE = { description: "d", codeSizeBytes: 1, engine: {}, dependencies: [] };

describe("a summary of another shape", () => {
  it.each([
    ["no object", [1]],
    ["a schema that is none", { ...WHOLE, inputSchema: "nope" }],
    ["a schema of another type", { ...WHOLE, inputSchema: { type: "string" } }],
    ["an output schema that is none", { ...WHOLE, outputSchema: 7 }],
    ["a title that is no text", { ...WHOLE, title: {} }],
    ["annotations that are none", { ...WHOLE, annotations: { readOnlyHint: "yes" } }],
  ])("is told as damaged and breaks no list: %s", (_what, value) => {
    const summary = readSummary(JSON.stringify(value));
    expect(summary.description).toContain("cannot be read");
    expect(summary).not.toHaveProperty("inputSchema");
  });

  it("is told from a whole one", () => {
    const whole = {
      ...WHOLE,
      title: "t",
      inputSchema: { type: "object" },
      annotations: { title: "t", readOnlyHint: true },
    };
    expect(readSummary(JSON.stringify(whole))).toEqual(whole);
  });
});
