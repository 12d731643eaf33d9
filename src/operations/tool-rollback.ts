import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";
import { actorOf } from "../authored/authored.ts";
import { acceptedContent, expectedRevision, toolName, toolResult } from "./shapes.ts";

export const toolRollback = operation({
  name: "dynamic.tool.rollback",
  toolset: "authoring",
  title: "Roll a tool back",
  description:
    'Makes a tool what it was at an earlier revision, as a new revision; nothing is lost. Example: {"name":"text.uppercase","revision":1}',
  permission: "author",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      name: toolName(z),
      revision: z.int().min(1).describe("The revision to bring back"),
      expectedRevision: expectedRevision(z),
    }),
  output: toolResult,

  async handle({ tools }, { name, revision, expectedRevision }, ctx) {
    const accepted = await tools.rollback(name, revision, actorOf(ctx), expectedRevision);
    const { tool, isWritten } = accepted;
    const text = isWritten
      ? `Rolled back dynamic tool: ${tool.name} is what it was at revision ${revision} (now revision ${tool.revision})`
      : `${tool.name} is already what it was at revision ${revision}: still revision ${tool.revision}`;
    return structured(text, acceptedContent(accepted));
  },
});
