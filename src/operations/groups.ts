import { DynamicMcpError } from "../core/errors.ts";
import { nearest } from "../core/names.ts";
import type { RunContext } from "../core/source.ts";
import type { Fleet, ServerState } from "../fleet/fleet.ts";
import { serverNotFound } from "../fleet/not-found.ts";
import type { Named, View } from "../surface/surface.ts";
import type { OperationServices } from "./operations.ts";
import { cut, someOf } from "./one-line.ts";
import { CALL_WAIT_MS, LOOK_WAIT_MS, waitFor } from "./server-states.ts";

/**
 * Groups are servers, and one more for what is made or built here. It has two names, and a server that has one of them
 * keeps it.
 */
const LOCAL_NAMES = ["local", "dynamic-mcp"] as const;

export interface Group {
  name: string;
  tools: readonly Named<"tool">[];
  /** Absent for the tools made here. */
  state?: ServerState;
}

/** What the group of our own tools is called. */
export function localName(fleet: Pick<Fleet, "server">): string {
  return LOCAL_NAMES.find((name) => !fleet.server(name)) ?? "";
}

export function isLocal(group: string, fleet: Pick<Fleet, "server">): boolean {
  return LOCAL_NAMES.some((name) => name === group) && !fleet.server(group);
}

/** What people have made here; not our own operations, though they can be called by this group, too. */
export function localTools(view: View): readonly Named<"tool">[] {
  return view.all("tool").filter(({ listing }) => listing.group === undefined && listing.toolset === undefined);
}

/** The name of a tool within its group. */
export function ownName({ name, listing }: Named<"tool">): string {
  return listing.nameInGroup ?? name;
}

/**
 * Waits until the tools of a group are known.
 *
 * @throws SERVER_NOT_FOUND with the nearest name; SERVER_DISABLED, UPSTREAM_* with why they cannot be known
 */
export async function openGroup(
  { fleet, view }: OperationServices,
  group: string,
  ctx: RunContext,
  waitMs = LOOK_WAIT_MS,
): Promise<Group> {
  if (isLocal(group, fleet)) return { name: group, tools: localTools(view(ctx.caller)) };
  if (!fleet.server(group)) throw groupNotFound(group, fleet);
  const state = await waitFor(fleet, group, ctx, waitMs);
  const tools = view(ctx.caller)
    .all("tool")
    .filter(({ listing }) => listing.group === group);
  return { name: group, tools, state };
}

/** By its server's name for it, or as it is listed. */
export function findInGroup(
  view: View,
  group: string,
  name: string,
  fleet: Pick<Fleet, "server">,
): Named<"tool"> | undefined {
  const own = view.findInGroup(group, name);
  if (own) return own;
  const listed = view.find("tool", name);
  const isThere = isLocal(group, fleet) ? listed?.listing.group === undefined : listed?.listing.group === group;
  return isThere ? listed : undefined;
}

/**
 * Does not wait when it is there already: a call must not be later for what is asked of the rest.
 *
 * @throws as {@link openGroup}; TOOL_NOT_FOUND with the nearest name
 */
export async function openTool(
  services: OperationServices,
  group: string,
  name: string,
  ctx: RunContext,
): Promise<Named<"tool">> {
  const { fleet, view } = services;
  const known = findInGroup(view(ctx.caller), group, name, fleet);
  if (known) return known;
  const { tools } = await openGroup(services, group, ctx, CALL_WAIT_MS);
  const found = findInGroup(view(ctx.caller), group, name, fleet);
  if (found) return found;
  throw new DynamicMcpError("TOOL_NOT_FOUND", notInGroup(group, name, tools), {
    data: { group, name: cut(name, 200) },
  });
}

export function notInGroup(group: string, name: string, tools: readonly Named<"tool">[]): string {
  const similar = nearest(name, tools.slice(0, 2_000).map(ownName));
  const hint = similar === undefined ? `get_dynamic_tools with group ${JSON.stringify(group)} shows what it has` : `did you mean ${similar}?`; // prettier-ignore
  return `group ${JSON.stringify(group)} has no tool ${JSON.stringify(cut(name, 80))}; ${hint}`;
}

function groupNotFound(group: string, fleet: Pick<Fleet, "servers">): DynamicMcpError {
  const names = fleet.servers().map(({ name }) => name);
  const otherwise = names.length > 0 ? `groups are ${someOf(names, 40)}` : "no servers are configured";
  return serverNotFound(group, names, { what: "group", otherwise });
}
