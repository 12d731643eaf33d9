import type { Fleet, ServerState } from "../fleet/fleet.ts";
import { localName } from "./groups.ts";
import { cut, oneLine } from "./one-line.ts";
import { isPending, problemOf } from "./server-states.ts";

/** Of the description, which every conversation pays for: about 1,200 tokens. */
const MAX_DESCRIPTION_CHARS = 6_000;
/** Descriptions and reasons get shorter until all groups fit, then they go, then so do names. */
const STEPS = [200, 120, 70, 50, 35, 0] as const;

const INTRO =
  "Shows the tools of a group, for call_dynamic_tool. Without a group: which groups there are. `query` finds tools in one group or in all.";

/** What is behind each group, for `tools/list`: the same text for the same state of the servers. */
export function describeGroups(fleet: Pick<Fleet, "servers" | "server">, hasLocal: boolean): string {
  const usable = fleet.servers().filter((state) => problemOf(state) === undefined);
  const out = fleet.servers().filter((state) => isWorthTelling(state));
  const local = hasLocal ? [{ name: localName(fleet), description: "tools made on this server" }] : [];
  if (usable.length + out.length + local.length === 0) return `${INTRO}\n\nNo groups yet.`;
  const groups = [...usable, ...local];
  for (const chars of STEPS) {
    const text = textOf(groups, out, chars);
    if (text.length <= MAX_DESCRIPTION_CHARS) return text;
  }
  return cut(textOf(groups, out, 0), MAX_DESCRIPTION_CHARS);
}

function textOf(
  usable: readonly Pick<ServerState, "name" | "description">[],
  out: readonly ServerState[],
  chars: number,
): string {
  const lines = [INTRO];
  if (usable.length > 0) lines.push("", "Groups:", ...linesOf(usable, ({ description }) => description, chars));
  if (out.length > 0)
    lines.push("", "Unavailable groups:", ...linesOf(out, (state) => problemOf(state, chars) ?? "", chars));
  return lines.join("\n");
}

function linesOf<T extends { name: string }>(all: readonly T[], about: (each: T) => string, chars: number): string[] {
  if (chars === 0) return [all.map(({ name }) => name).join(", ")];
  return all.map((each) => {
    const text = cut(withoutPreamble(oneLine(about(each))), chars);
    return text === "" ? `- ${each.name}` : `- ${each.name}: ${text}`;
  });
}

/** How most servers begin to describe themselves, and what says nothing: that they are MCP servers. */
const PREAMBLE =
  /^(?:(?:this is )?(?:an?|the)\s+)?(?:model context protocol(?: \(mcp\))?|mcp)\s+server\s+(?:(?:implementation\s+)?(?:for|to|(?:that|which)\s+\w+s)\s+)(?=\S)/i;

function withoutPreamble(text: string): string {
  return text.replace(PREAMBLE, "");
}

/** What the operator has switched off is nobody's business; what should work and does not is. */
function isWorthTelling(state: ServerState): boolean {
  return state.status !== "disabled" && problemOf(state) !== undefined;
}

/** The same for an answer, where there is room: with numbers, and what has been found out so far. */
export function listGroups(fleet: Pick<Fleet, "servers" | "server">, localTools: number): string {
  const shown = fleet.servers().filter(({ status }) => status !== "disabled");
  const lines = shown.map((state) => {
    const problem = problemOf(state);
    const count = isPending(state)
      ? "not known yet"
      : `${state.counts.tools} ${state.counts.tools === 1 ? "tool" : "tools"}`;
    const about = cut(oneLine(state.description), 300);
    return `- ${state.name} (${problem === undefined ? count : `unavailable, ${problem}`})${about === "" ? "" : `: ${about}`}`;
  });
  if (localTools > 0)
    lines.push(`- ${localName(fleet)} (${localTools} ${localTools === 1 ? "tool" : "tools"}): made on this server`);
  if (lines.length === 0) return "There are no groups: no servers are configured, and no tools were made here.";
  return [...lines, 'Ask again with one of them as "group" to see its tools.'].join("\n");
}
