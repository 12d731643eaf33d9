import { assertMayListen } from "../../config/refuse.ts";
import type { Settings } from "../../config/schema.ts";
import { isLoopback } from "../../core/loopback.ts";
import { VERSION } from "../../core/version.ts";
import type { App } from "../app.ts";
import type { Command, CommandContext } from "../command.ts";
import type { Program } from "../connect.ts";

export function serveCommand(program: Program): Command {
  return {
    name: "serve",
    summary: "Serve MCP clients; this is what happens without a command.",
    details:
      "Over stdio by default, for clients that start the program; with `--transport http` on an address that clients are told. All settings are flags here, or variables, or in dynamic-mcp.json.",
    args: [{ name: "config", about: "Configuration file, with settings and other servers; `serve` may be left out.", isOptional: true }], // prettier-ignore
    flags: [],
    examples: ["", "servers.json", "serve --transport http --port 9000", "--profile enterprise --data-dir ./data"],
    stopsItself: true,
    servesOthers: true,
    async handler(context) {
      const { settings, warnings } = context.loaded;
      for (const warning of warnings) context.terminal.err(`dynamic-mcp: ${warning}`);
      if (settings.server.transport === "http") await serveHttp(context, settings, program);
      else await serveStdio(context);
    },
  };
}

async function serveStdio(context: CommandContext): Promise<void> {
  const app = await context.app();
  const { stdin, stdout } = context.terminal;
  await Promise.race([app.serveStdio(stdin, stdout), context.stopped]);
}

async function serveHttp(context: CommandContext, settings: Settings, program: Program): Promise<void> {
  assertMayListen(settings);
  const app = await context.app();
  const server = await app.listenHttp();
  await announce(context, app, server.url, program);
  await context.stopped;
}

/** For people, on stderr: a program that reads our log is not surprised by it when the level is `warn` or less. */
async function announce(context: CommandContext, app: App, url: string, program: Program): Promise<void> {
  const { server, http, log } = app.settings;
  if (log.level !== "info" && log.level !== "debug") return;
  const { connectRecipes } = await import("../connect.ts");
  const isDefaultDir = context.loaded.origins.get("server.dataDir")?.from === "default";
  const recipes = connectRecipes(url, program, isDefaultDir ? [] : ["--data-dir", server.dataDir]);
  const width = Math.max(...recipes.map(({ client }) => client.length));
  const lines = [
    `dynamic-mcp ${VERSION} listens on ${url} (profile ${server.profiles.join(",")}, data in ${server.dataDir})`,
    "",
    ...recipes.map(({ client, how }) => `  ${client.padEnd(width)}  ${how}`),
    "",
  ];
  if (!isLoopback(http.host)) lines.push("Others can reach this address, and nobody has to prove who they are.");
  lines.push("Ctrl-C stops it.");
  context.terminal.err(lines.join("\n"));
}
