import { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { ServerState } from "../../fleet/fleet.ts";
import { serverNotFound } from "../../fleet/not-found.ts";
import type { App } from "../app.ts";
import { argument, type Command, type CommandContext, JSON_FLAG } from "../command.ts";
import { countsOf, foundIn, withoutSecrets } from "../describe-server.ts";
import { json, oneLine, safe, table } from "../print.ts";
import { serverLogs } from "./server-logs.ts";

const CHECK_MS = 60_000;
const NAME = { name: "name", about: "Of the server." };

const list: Command = {
  name: "servers list",
  shortForm: "list",
  summary: "List other MCP servers, from files and from the store.",
  details: "With what is remembered of them. `--check` connects to each and says whether it works.",
  args: [],
  flags: [{ names: ["--check"], form: "switch", about: "Connect to each of them." }, JSON_FLAG],
  examples: ["servers list", "list --check", "servers list --json"],
  async handler(context) {
    const app = await context.app();
    if (context.has("--check")) await checkServers(app, context.stopped);
    const servers = app.fleet.servers();
    if (context.isJson) return context.terminal.out(json({ servers }));
    if (servers.length === 0)
      return context.terminal.err("No servers. `dynamic-mcp add <name> -- <command>` adds one.");
    const rows = servers.map((each) => [each.name, each.status, each.origin, each.transport, countsOf(each), each.problem ?? each.description]); // prettier-ignore
    context.terminal.out(table(["name", "status", "from", "over", "offers", "about"], rows, 160));
  },
};

const get: Command = {
  name: "servers get",
  shortForm: "get",
  summary: "Show one server: its definition, without secrets, and what is known of it.",
  args: [NAME],
  flags: [JSON_FLAG],
  examples: ["servers get github", "get github --json"],
  async handler(context) {
    const app = await context.app();
    const state = await stateOf(app, argument(context, "name"));
    const definition = withoutSecrets(await writtenDefinition(context, app, state));
    if (context.isJson) return context.terminal.out(json({ ...state, definition }));
    const { name, status, problem, where, target, description, quarantined, listedAt, restarts } = state;
    const lines: [string, string | undefined][] = [
      ["status", problem === undefined ? status : `${status}: ${problem}`],
      ["defined in", where],
      ["target", target],
      ["about", description],
      ["offers", `${foundIn(state)}${listedAt === undefined ? "" : `, as of ${listedAt}`}`],
      ["restarts", restarts > 0 ? String(restarts) : undefined],
    ];
    context.terminal.out(oneLine(name));
    for (const [what, text] of lines)
      if (text !== undefined) context.terminal.out(`  ${what.padEnd(11)} ${oneLine(text)}`);
    for (const each of quarantined) context.terminal.out(`  cannot be used: ${each.kind} ${oneLine(each.name)}: ${oneLine(each.reason)}`); // prettier-ignore
    context.terminal.out(safe(json(definition)));
  },
};

const remove: Command = {
  name: "servers remove",
  shortForm: "remove",
  summary: "Remove a server of the store.",
  details: "One that a configuration file defines is removed there.",
  args: [NAME],
  flags: [JSON_FLAG],
  examples: ["servers remove github", "remove github"],
  async handler(context) {
    const name = argument(context, "name");
    const app = await context.app();
    if ((await app.servers.get(name)) === undefined) {
      const { where, origin } = await stateOf(app, name);
      if (origin === "file") throw new DynamicMcpError("SERVER_READ_ONLY", `${name} is defined in ${where}; remove it there`, { data: { name, where } }); // prettier-ignore
    }
    await app.servers.remove(name);
    if (context.isJson) context.terminal.out(json({ name, done: "removed" }));
    else context.terminal.err(`Removed ${name}.`);
  },
};

const restart: Command = {
  name: "servers restart",
  summary: "Have a server that runs connect to another one again, and start its process anew.",
  details: "Every dynamic-mcp on this store does; calls under way to that server fail.",
  args: [NAME],
  flags: [JSON_FLAG],
  examples: ["servers restart github"],
  async handler(context) {
    const app = await context.app();
    const { name } = await stateOf(app, argument(context, "name"));
    await app.servers.restart(name);
    if (context.isJson) context.terminal.out(json({ name, done: "told" }));
    else context.terminal.err(`Told every dynamic-mcp on this store to start ${name} again.`);
  },
};

export const SERVER_COMMANDS: readonly Command[] = [list, get, remove, restart, serverLogs];

/** @throws SERVER_NOT_FOUND with the nearest name */
async function stateOf(app: App, name: string): Promise<ServerState> {
  const state = app.fleet.server(name);
  if (state) return state;
  throw serverNotFound(name, app.fleet.servers().map((each) => each.name), { otherwise: "`servers list` lists them" }); // prettier-ignore
}

async function writtenDefinition(context: CommandContext, app: App, state: ServerState): Promise<Json> {
  const raw = context.loaded.ambient.servers?.raw;
  if (state.origin === "file" && raw && Object.hasOwn(raw, state.name)) return raw[state.name] ?? null;
  return (await app.servers.get(state.name))?.definition ?? null;
}

export interface CheckedServer {
  name: string;
  /** What was found; absent when it does not work. */
  state?: ServerState;
  problem?: string;
}

/** Connects to all that are switched on, side by side; a minute at most for all of them. */
export async function checkServers(app: App, stopped: Promise<void>): Promise<CheckedServer[]> {
  const deadline = new Deadline(CHECK_MS);
  void stopped.then(() => deadline.end("client"));
  try {
    const enabled = app.fleet.servers().filter(({ status }) => status !== "disabled");
    return await Promise.all(
      enabled.map(async ({ name }): Promise<CheckedServer> => {
        try {
          return { name, state: await app.fleet.restart(name, deadline) };
        } catch (error) {
          return { name, problem: error instanceof Error ? error.message : String(error) };
        }
      }),
    );
  } finally {
    deadline.close();
  }
}
