import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { nearest } from "../core/names.ts";
import { serverNotFound } from "../fleet/not-found.ts";
import type { Named } from "../surface/surface.ts";
import type { App } from "./app.ts";
import type { CommandContext } from "./command.ts";
import { OPERATOR } from "./operate.ts";
import { clip, oneLine, safeJson } from "./print.ts";

/** For servers whose tools are not known yet, all together, in ms; some are downloaded first. */
const WAIT_MS = 60_000;

/** A server that could not tell what it offers. */
export interface SilentServer {
  name: string;
  problem: string;
}

/**
 * Waits until it is known what servers offer, side by side. What is remembered of one counts as known.
 *
 * @param names default: all that are switched on
 * @returns those of which it cannot be known, and why
 */
export async function knowServers(context: CommandContext, names?: readonly string[]): Promise<SilentServer[]> {
  const { fleet } = await context.app();
  const wanted = names ?? fleet.servers().filter(({ status }) => status !== "disabled").map(({ name }) => name); // prettier-ignore
  if (wanted.length === 0) return [];
  const deadline = new Deadline(WAIT_MS);
  void context.stopped.then(() => deadline.end("client"));
  try {
    const found = await Promise.all(
      wanted.map(async (name): Promise<SilentServer[]> => {
        try {
          await fleet.known(name, deadline);
          return [];
        } catch (error) {
          return [{ name, problem: error instanceof Error ? error.message : String(error) }];
        }
      }),
    );
    return found.flat();
  } finally {
    deadline.close();
  }
}

/** Says on stderr which servers are missing in what is printed; for programs, each as a line of JSON. */
export function tellSilent(context: CommandContext, silent: readonly SilentServer[]): void {
  for (const { name, problem } of silent) {
    const why = clip(oneLine(problem), 300);
    const line = context.isJson ? safeJson(JSON.stringify({ warning: { server: name, problem: why } })) : `Without ${oneLine(name)}: ${why}`; // prettier-ignore
    context.terminal.err(line);
  }
}

/** Everything that can be called, whether clients see it listed or not. */
export async function allNamed(context: CommandContext): Promise<readonly Named<"tool">[]> {
  return (await context.app()).surface.view(OPERATOR).all("tool");
}

/**
 * Finds a tool, and waits for servers only when it is not there yet.
 *
 * @param server whose own name for it `name` is then
 * @throws TOOL_NOT_FOUND, SERVER_NOT_FOUND with the nearest name; what keeps the server from telling
 */
export async function namedTool(context: CommandContext, name: string, server?: string): Promise<Named<"tool">> {
  const { surface, fleet } = await context.app();
  const find = () => {
    const view = surface.view(OPERATOR);
    const listed = view.find("tool", name);
    if (server === undefined) return listed;
    return view.findInGroup(server, name) ?? (listed?.listing.group === server ? listed : undefined);
  };
  const known = find();
  if (known) return known;
  if (server !== undefined) assertServer(fleet, server);
  const silent = await knowServers(context, server === undefined ? undefined : [server]);
  const found = find();
  if (found) return found;
  tellSilent(context, silent);
  const there = (await allNamed(context)).filter(({ listing }) => server === undefined || listing.group === server);
  throw toolNotFound(name, there.map((each) => (server === undefined ? each.name : (each.listing.nameInGroup ?? each.name)))); // prettier-ignore
}

/** @throws SERVER_NOT_FOUND with the nearest name */
export function assertServer(fleet: App["fleet"], server: string): void {
  if (!fleet.server(server)) throw serverNotFound(server, fleet.servers().map((each) => each.name), { otherwise: "`servers list` lists them" }); // prettier-ignore
}

function toolNotFound(name: string, names: readonly string[]): DynamicMcpError {
  const near = nearest(name, names);
  const hint = near === undefined ? "`tools list` lists them" : `did you mean ${JSON.stringify(near)}?`;
  return new DynamicMcpError("TOOL_NOT_FOUND", `there is no tool ${JSON.stringify(clip(name, 80))}; ${hint}`);
}
