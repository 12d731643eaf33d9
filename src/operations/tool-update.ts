import { toolPatch } from "../authored/definition.ts";
import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";
import { actorOf } from "../authored/authored.ts";
import { acceptedContent, dryRun, examplesText, expectedRevision, toolName, toolResult } from "./shapes.ts";

export const toolUpdate = operation({
  name: "dynamic.tool.update",
  toolset: "authoring",
  title: "Change a tool",
  description: [
    "Changes fields of a tool that was made with dynamic_tool_create; fields that are left out stay, null clears one that may be absent.",
    "What there was stays as an older revision (dynamic_tool_history, dynamic_tool_rollback). Examples run again when something that runs changed.",
    'Example: {"name":"text.uppercase","patch":{"description":"Shouts","code":"return args.text.toUpperCase() + \'!\'"},"expectedRevision":1}',
  ].join(" "),
  permission: "author",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      name: toolName(z),
      patch: toolPatch(z).describe("Fields to change; null clears"),
      expectedRevision: expectedRevision(z),
      dryRun: dryRun(z),
    }),
  output: toolResult,

  async handle({ tools }, { name, patch, dryRun, expectedRevision }, ctx) {
    const options = { dryRun, ...(expectedRevision !== undefined && { expectedRevision }) };
    const accepted = await tools.update(name, patch, actorOf(ctx), options);
    const { tool, examples, isWritten } = accepted;
    const passed = examplesText(examples.length);
    const text = isWritten
      ? `Updated dynamic tool: ${tool.name} (revision ${tool.revision}).${passed}`
      : dryRun
        ? `The change of ${tool.name} would be accepted.${passed} Nothing was kept: this was a dry run.`
        : `${tool.name} is already so: still revision ${tool.revision}.`;
    return structured(text, acceptedContent(accepted));
  },
});
