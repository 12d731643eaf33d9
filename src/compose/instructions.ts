import type { ProfileName } from "../operations/profiles.ts";
import { PROFILES } from "../operations/profiles.ts";
import type { View } from "../surface/surface.ts";

const MAKING =
  "Tools here can be made while you work: dynamic_tool_create keeps JavaScript or TypeScript code as a tool, " +
  "run_js_ephemeral runs code once.";
const MADE = "A tool that was just made and is not listed yet can be called with tool_call.";
const MADE_IN_GROUPS = 'They are called with call_dynamic_tool, and so is what they make, in the group "dynamic-mcp".';
const SEARCHING =
  "More tools are here than are listed: tool_search finds them by what you want to do, one short step a query, " +
  "tool_describe shows how they are called, and tool_call calls them.";
const GROUPS =
  "Tools are in groups: get_dynamic_tools shows the groups and what is in one, call_dynamic_tool calls a tool of it.";

/** What a client may tell its model about this server; short, because every conversation pays for it. */
export function instructionsFor({ exposure }: Pick<View, "exposure">, profiles: readonly ProfileName[]): string {
  const makes = profiles.some((profile) => (PROFILES[profile] as readonly string[]).includes("authoring"));
  const reaches = { direct: [], search: [SEARCHING], code: [SEARCHING], groups: [GROUPS] }[exposure];
  const made = exposure === "groups" ? MADE_IN_GROUPS : MADE;
  return [...reaches, ...(makes ? [MAKING, made] : [])].join(" ");
}
