import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";
import { actorOf } from "../authored/authored.ts";
import { acceptedContent, expectedRevision, toolName, toolResult } from "./shapes.ts";

export const toolEnable = operation({
  name: "dynamic.tool.enable",
  toolset: "authoring",
  title: "Enable or disable a tool",
  description:
    'Lists a tool and lets it be called, or keeps it without either. Example: {"name":"text.uppercase","enabled":false}',
  permission: "author",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      name: toolName(z),
      enabled: z.boolean().describe("true: listed and callable; false: kept only"),
      expectedRevision: expectedRevision(z),
    }),
  output: toolResult,

  async handle({ tools }, { name, enabled, expectedRevision }, ctx) {
    const accepted = await tools.enable(name, enabled, actorOf(ctx), expectedRevision);
    const word = enabled ? "enabled" : "disabled";
    const { tool, isWritten } = accepted;
    const text = isWritten
      ? `${enabled ? "Enabled" : "Disabled"} dynamic tool: ${tool.name} (revision ${tool.revision})`
      : `${tool.name} was ${word} already: still revision ${tool.revision}`;
    return structured(text, acceptedContent(accepted));
  },
});
