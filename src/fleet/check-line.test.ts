import { expect, it } from "vitest";
import { checkLine } from "./check-line.ts";

const schema = { type: "object" };

it.each([
  ["tool", 5, "it is not an object"],
  ["tool", { inputSchema: schema }, "it has no name"],
  ["tool", { name: "", inputSchema: schema }, "it has no name"],
  ["tool", { name: "a".repeat(1_025), inputSchema: schema }, "its name has 1025 characters, more than 1024"],
  ["tool", { name: "a" }, "it has no inputSchema"],
  ["tool", { name: "a", inputSchema: { type: "string" } }, 'the type of its inputSchema is not "object"'],
  ["tool", { name: "a", inputSchema: schema, description: 5 }, "its description is not a text"],
  ["tool", { name: "a", inputSchema: schema, outputSchema: true }, "its outputSchema is not an object"],
  ["prompt", { name: "a", arguments: [{}] }, "one of its arguments has no name"],
  ["resource", { name: "a" }, "it has no uri"],
  ["resource", { uri: "a:b" }, "it has no name"],
  ["template", { uriTemplate: "a:{b}", name: "a", mimeType: 5 }, "its mimeType is not a text"],
] as const)("quarantines a %s that is %j", (kind, line, reason) => {
  expect(checkLine(kind, line as never)).toMatchObject({ reason });
});

it("puts right what is merely sloppy, and leaves what it does not know", () => {
  const line = {
    name: "a".repeat(1_024),
    title: null,
    inputSchema: { properties: {} },
    outputSchema: null,
    execution: { taskSupport: "optional" },
    vendor: { x: 1 },
  };
  expect(checkLine("tool", line)).toEqual({
    key: line.name,
    line: { name: line.name, inputSchema: { type: "object", properties: {} }, vendor: { x: 1 } },
  });
});

it.each([
  [{ inputSchema: {}, name: "a" }, true],
  [{ name: "a", inputSchema: {}, outputSchema: { type: "object" } }, true],
  [{ name: "a", inputSchema: {}, outputSchema: { type: "array" } }, false],
  [{ name: "a", inputSchema: { properties: { outputSchema: { type: "object" } } }, outputSchema: {} }, false],
])("puts the name first where both eras show the line as it is: %j", (line, isFirst) => {
  const checked = checkLine("tool", line);
  expect(JSON.stringify("line" in checked ? checked.line : {}).startsWith('{"name":"a"')).toBe(isFirst);
});

it.each([
  ["forbidden", true],
  ["optional", false],
  ["required", false],
])("tells that tasks are %s: %j", (taskSupport, isTold) => {
  const checked = checkLine("tool", { name: "a", inputSchema: { type: "object" }, execution: { taskSupport } });
  expect("line" in checked && "execution" in checked.line).toBe(isTold);
});
