import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";
import { actorOf } from "../authored/authored.ts";
import { expectedRevision, toolName, toolResult } from "./shapes.ts";

export const toolDelete = operation({
  name: "dynamic.tool.delete",
  toolset: "authoring",
  title: "Delete a tool",
  description:
    'Deletes a tool that was made with dynamic_tool_create; its name is free again. To keep it without listing it, use dynamic_tool_enable. Example: {"name":"text.uppercase"}',
  permission: "author",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: (z) => z.strictObject({ name: toolName(z), expectedRevision: expectedRevision(z) }),
  output: toolResult,

  async handle({ tools }, { name, expectedRevision }, ctx) {
    const tool = await tools.remove(name, actorOf(ctx), expectedRevision);
    return structured(`Deleted dynamic tool: ${tool.name}`, { tool });
  },
});
