import type { ToolView } from "../authored/authored.ts";
import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";
import { toolsResult } from "./shapes.ts";

const PAGE = { max: 500, default: 100 };

export const toolList = operation({
  name: "dynamic.tool.list",
  toolset: "authoring",
  title: "List authored tools",
  description:
    'Lists the tools that were made with dynamic_tool_create, disabled and damaged ones too, in the order of their names. Example: {"search":"text upper"}',
  permission: "author",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      search: z.string().max(200).exactOptional().describe("Words that all occur in name, title or description"),
      includeDisabled: z.boolean().default(true).describe("false: only what can be called"),
      includeCode: z.boolean().default(false).describe("true: with the code of each"),
      limit: z.int().min(1).max(PAGE.max).default(PAGE.default).describe("Most tools of one page"),
      cursor: z.string().max(500).exactOptional().describe("`nextCursor` of the page before"),
    }),
  output: toolsResult,

  async handle({ tools }, query) {
    const page = await tools.list(query);
    const lines = page.tools.map(lineOf);
    const shown = page.tools.length < page.total ? `${page.tools.length} of ${page.total}` : String(page.total);
    const more =
      page.nextCursor === undefined ? [] : ["More: call again with the nextCursor of this result as cursor."];
    return structured([`Dynamic tools: ${shown}`, ...lines, ...more].join("\n"), { ...page });
  },
});

function lineOf({ name, revision, enabled, description, quarantine }: ToolView): string {
  const state = quarantine !== undefined ? `, damaged: ${quarantine}` : enabled ? "" : ", disabled";
  const [first = ""] = description.split("\n");
  return `- ${name} (revision ${revision}${state}): ${first.length > 160 ? `${first.slice(0, 157)}...` : first}`;
}
