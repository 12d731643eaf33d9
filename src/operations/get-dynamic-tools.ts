import { DynamicMcpError } from "../core/errors.ts";
import { textContent } from "../core/results.ts";
import type { ToolResult } from "../core/item.ts";
import type { RunContext } from "../core/source.ts";
import type { Named } from "../surface/surface.ts";
import { describeGroups, listGroups } from "./group-list.ts";
import { findInGroup, type Group, isLocal, localName, localTools, notInGroup, openGroup, ownName } from "./groups.ts"; // prettier-ignore
import { cut, firstSentence } from "./one-line.ts";
import { operation } from "./operation.ts";
import type { OperationServices } from "./operations.ts";
import { isPending, missingText, problemOf, waitForPending } from "./server-states.ts";
import { DETAILS, type Detail, fill, MAX_ANSWER_CHARS, nameLine, schemasOf, signatureLine } from "./tool-lines.ts";

/** Hits of a query. */
const MAX_HITS = 10;

export const getDynamicTools = operation({
  name: "get_dynamic_tools",
  toolset: "groups",
  title: "Show the tools of a group",
  description: ({ fleet, hasLocalTools }) => describeGroups(fleet, hasLocalTools()),
  permission: "use",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      group: z.string().min(1).max(300).exactOptional(),
      query: z.string().min(1).max(1_000).exactOptional().describe("Only tools for this"),
      names: z.array(z.string().min(1).max(300)).min(1).max(100).exactOptional().describe("Only these tools"),
      detail: z.enum(DETAILS).exactOptional().describe("How much of each; default: what fits"),
    }),
  accept: ({ group, names, ...args }) => ({
    ...args,
    ...(group !== undefined && group !== null && group !== "" && { group }),
    ...(names !== undefined && { names: typeof names === "string" ? [names] : names }),
  }),

  async handle(services, { group: wanted, query, names, detail }, ctx) {
    const { fleet } = services;
    if (wanted === undefined && query === undefined && names === undefined) {
      if (fleet.servers().some(isPending) && fleet.servers().every(isPending)) await waitForPending(fleet, ctx);
      return { content: [textContent(listGroups(fleet, localTools(services.view(ctx.caller)).length))] };
    }
    if (wanted === undefined) {
      if (fleet.servers().some(isPending)) await waitForPending(fleet, ctx);
      return query === undefined
        ? namedAnywhere(services, names ?? [], detail ?? "schemas", ctx)
        : everywhere(services, query, detail ?? "signatures", ctx);
    }
    const group = await openGroup(services, wanted, ctx);
    if (names) return onlyThese(services, group, names, detail ?? "schemas", ctx);
    if (query !== undefined) {
      const { tools, total } = findWithin(services, group, query, ctx);
      if (tools.length === 0)
        return answer([], [`Nothing in ${group.name} fits. Without a query it shows all its tools.`]);
      const more = total > tools.length ? [`${total - tools.length} more fit: narrow the query.`] : [];
      return show(services, group, tools, detail ?? "schemas", more);
    }
    return show(services, group, group.tools, detail, []);
  },
});

/** Of a group, as clients of two-tool gateways read it: a JSON array first, words about it in a block of their own. */
function show(
  services: OperationServices,
  group: Group,
  tools: readonly Named<"tool">[],
  detail: Detail | undefined,
  notes: string[],
): ToolResult {
  const problem = group.state && problemOf(group.state);
  const notice =
    problem === undefined ? [] : [`${group.name} is unavailable now (${problem}); these are the tools that it had.`];
  if (detail === "names" || detail === "signatures") {
    const lineOf = detail === "names" ? nameLine : signatureLine;
    const { shown, left } = fill(lines(), tools.length);
    const more = left > 0 ? [`${left} more: use \`query\` or \`names\`.`] : [];
    return answer([shown.join("\n")], [...more, ...notes, ...notice]);

    function* lines() {
      for (const named of tools) yield lineOf(named, services.fleet, ownName(named));
    }
  }
  const all = fill(schemas(), tools.length);
  if (all.left === 0) return answer([`[${all.shown.join(",")}]`], [...notes, ...notice]);
  const short = fill(summaries(), tools.length);
  const rest = short.left > 0 ? ` ${short.left} more are not shown: use \`query\`.` : "";
  const how = `${tools.length} tools are too many to show with their schemas. Ask again with \`names\` for those you need, or with \`query\`.${rest}`;
  return answer([`[${short.shown.join(",")}]`], [how, ...notes, ...notice]);

  function* schemas() {
    for (const named of tools) yield JSON.stringify(schemasOf(named.load(), ownName(named)));
  }
  function* summaries() {
    for (const named of tools) yield JSON.stringify({ name: ownName(named), description: firstSentence(named.load().description ?? "", 80) }); // prettier-ignore
  }
}

function onlyThese(
  services: OperationServices,
  group: Group,
  names: readonly string[],
  detail: Detail,
  ctx: RunContext,
): ToolResult {
  const view = services.view(ctx.caller);
  const wanted = [...new Set(names)].map((name) => ({
    name,
    named: findInGroup(view, group.name, name, services.fleet),
  }));
  const found = wanted.flatMap(({ named }) => (named ? [named] : []));
  const unknown = wanted.flatMap(({ name, named }) => (named ? [] : [notInGroup(group.name, name, group.tools)]));
  if (found.length === 0)
    throw new DynamicMcpError("TOOL_NOT_FOUND", unknown.join("\n"), { data: { group: group.name } });
  return show(services, group, found, detail, unknown);
}

function findWithin({ finder, fleet }: OperationServices, { name }: Group, query: string, { caller }: RunContext) {
  if (!isLocal(name, fleet)) {
    const { hits, total } = finder.find(caller, query, { limit: MAX_HITS, group: name });
    return { tools: hits.map(({ named }) => named), total };
  }
  const { hits } = finder.find(caller, query, { limit: MAX_HITS * 10 });
  const tools = hits.map(({ named }) => named).filter(({ listing }) => listing.group === undefined && listing.toolset === undefined); // prettier-ignore
  return { tools: tools.slice(0, MAX_HITS), total: tools.length };
}

function everywhere(
  { finder, fleet }: OperationServices,
  query: string,
  detail: Detail,
  { caller }: RunContext,
): ToolResult {
  const { hits } = finder.find(caller, query, { limit: MAX_HITS * 4 });
  const tools = hits.map(({ named }) => named).filter(({ listing }) => listing.toolset === undefined).slice(0, MAX_HITS); // prettier-ignore
  const rest = [missingText(fleet)].filter(Boolean);
  if (tools.length === 0) return answer([], [`Nothing fits. ${listGroups(fleet, 0)}`, ...rest]);
  return showAcross(fleet, tools, detail, rest);
}

/** By their listed names, or by their own in whichever groups have them. */
function namedAnywhere(
  { fleet, view }: OperationServices,
  names: readonly string[],
  detail: Detail,
  { caller }: RunContext,
): ToolResult {
  const now = view(caller);
  const wanted = [...new Set(names)].map((name) => {
    const listed = now.find("tool", name);
    return { name, found: listed ? [listed] : fleet.servers().flatMap(({ name: group }) => now.findInGroup(group, name) ?? []) }; // prettier-ignore
  });
  const unknown = wanted.flatMap(({ name, found }) =>
    found.length > 0 ? [] : [`No group has a tool ${JSON.stringify(cut(name, 80))}.`],
  );
  if (unknown.length === wanted.length) throw new DynamicMcpError("TOOL_NOT_FOUND", `${unknown.join("\n")}\n${listGroups(fleet, 0)}`); // prettier-ignore
  return showAcross(fleet, [...new Set(wanted.flatMap(({ found }) => found))], detail, unknown);
}

/** Tools of several groups, each with its own. */
function showAcross(
  fleet: OperationServices["fleet"],
  tools: readonly Named<"tool">[],
  detail: Detail,
  notes: string[],
): ToolResult {
  const lines = tools.map((named) => {
    const { group = localName(fleet) } = named.listing;
    const own = ownName(named);
    if (detail === "schemas") return JSON.stringify({ group, ...schemasOf(named.load(), own) });
    return `${group}: ${(detail === "names" ? nameLine : signatureLine)(named, fleet, own)}`;
  });
  const { shown, left } = fill(lines, lines.length, MAX_ANSWER_CHARS);
  const more = left > 0 ? [`${left} more: ask for one group.`] : [];
  return answer([detail === "schemas" ? `[${shown.join(",")}]` : shown.join("\n")], [...more, ...notes]);
}

function answer(texts: string[], notes: string[]): ToolResult {
  const words = notes.filter(Boolean).join("\n");
  return { content: [...texts, ...(words === "" ? [] : [words])].map(textContent) };
}
