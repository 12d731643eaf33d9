import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";
import { toolName, toolResult } from "./shapes.ts";

export const toolGet = operation({
  name: "dynamic.tool.get",
  toolset: "authoring",
  title: "Show a tool",
  description:
    'Shows a tool that was made with dynamic_tool_create: its code, schemas, examples, revision, and the engine it runs in. Example: {"name":"text.uppercase"}',
  permission: "author",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      name: toolName(z),
      revision: z.int().min(1).exactOptional().describe("As it was then; left out: the newest"),
    }),
  output: toolResult,

  async handle({ tools }, { name, revision }) {
    const tool = await tools.get(name, revision);
    const { code, ...facts } = tool;
    return structured(`${JSON.stringify(facts, undefined, 2)}\n\n${code ?? ""}`, { tool });
  },
});
