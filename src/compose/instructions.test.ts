import { expect, it } from "vitest";
import { instructionsFor } from "./instructions.ts";

it.each([
  ["direct", ["tool_call"], ["tool_search", "call_dynamic_tool"]],
  ["search", ["tool_search", "tool_describe", "tool_call"], ["call_dynamic_tool"]],
  ["groups", ["get_dynamic_tools", "call_dynamic_tool"], ["tool_search", "tool_call"]],
] as const)("send a model to what a list by %s shows, and to nothing else", (exposure, named, unnamed) => {
  const words = instructionsFor({ exposure }, ["mvp"]).match(/\w+/g);
  expect(words).toEqual(expect.arrayContaining([...named, "dynamic_tool_create"]));
  for (const name of unnamed) expect(words).not.toContain(name);
});

it("say nothing of making tools where the profile has none of that", () => {
  expect(instructionsFor({ exposure: "groups" }, ["proxy"])).not.toContain("dynamic_tool_create");
  expect(instructionsFor({ exposure: "direct" }, ["gateway"])).toBe("");
});
