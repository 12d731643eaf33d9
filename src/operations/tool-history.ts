import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";
import { toolName } from "./shapes.ts";

export const toolHistory = operation({
  name: "dynamic.tool.history",
  toolset: "authoring",
  title: "Show a tool's revisions",
  description:
    'Shows who changed a tool when and how, newest first. Example: {"name":"text.uppercase","limit":5}. Bring one back with dynamic_tool_rollback.',
  permission: "author",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      name: toolName(z),
      limit: z.int().min(1).max(200).default(20).describe("Most revisions of one page"),
      before: z
        .int()
        .min(1)
        .exactOptional()
        .describe("Only revisions before this one: `nextBefore` of the page before"),
      includeCode: z.boolean().default(false).describe("true: with the code of each"),
    }),
  output: (z) =>
    z.looseObject({
      name: z.string(),
      current: z.int().min(1),
      revisions: z.array(
        z.looseObject({
          revision: z.int().min(1),
          change: z.string(),
          author: z.string(),
          at: z.string(),
          enabled: z.boolean(),
        }),
      ),
      nextBefore: z.int().exactOptional(),
    }),

  async handle({ tools }, { name, ...options }) {
    const history = await tools.history(name, options);
    const lines = history.revisions.map(
      ({ revision, at, change, author, codeSizeBytes }) =>
        `- ${revision}: ${change} by ${author} at ${at} (${codeSizeBytes} bytes of code)`,
    );
    const more = history.nextBefore === undefined ? [] : [`Older ones: call again with before ${history.nextBefore}.`];
    return structured([`${history.name} is at revision ${history.current}`, ...lines, ...more].join("\n"), {
      ...history,
    });
  },
});
