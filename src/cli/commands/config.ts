import { type Command, type CommandContext, JSON_FLAG } from "../command.ts";
import { json, table, words } from "../print.ts";

export const configExplain: Command = {
  name: "config explain",
  summary: "Show every setting, its value and where it came from.",
  details: "Takes the same flags, variables and file as `serve`. Secrets are shown as ***.",
  args: [],
  flags: [JSON_FLAG, { names: ["--changed"], form: "switch", about: "Only settings that are not at their default." }],
  examples: ["config explain", "config explain --profile enterprise --changed", "config explain --json"],
  async handler(context) {
    const { explain } = await import("../../config/render.ts");
    const all = explain(context.loaded).filter(({ from }) => !context.has("--changed") || from !== "default");
    const { file, warnings } = context.loaded;
    if (context.isJson) {
      context.terminal.out(json({ file: file ?? null, settings: all, warnings }));
      return;
    }
    const rows = all.map(({ key, value, where }) => [key, where, words(value)]);
    context.terminal.out(table(["setting", "from", "value"], rows, 200));
    context.terminal.err(file ? `File: ${file}` : await noFile(context));
    for (const warning of warnings) context.terminal.err(`Note: ${warning}`);
  },
};

async function noFile({ loaded: { ambient, settings } }: CommandContext): Promise<string> {
  const { platformConfigDir } = await import("../../config/platform.ts");
  const user = platformConfigDir({ env: ambient.env, homeDir: ambient.homeDir, platform: process.platform });
  return `No configuration file: there is no dynamic-mcp.json in ${settings.server.dataDir} or ${user}.`;
}

export const configSchema: Command = {
  name: "config schema",
  summary: "Print the JSON Schema of dynamic-mcp.json.",
  args: [],
  flags: [JSON_FLAG],
  examples: ["config schema > dynamic-mcp.schema.json"],
  async handler(context) {
    const [{ fileSchema }, { serversSchema }] = await Promise.all([
      import("../../config/render.ts"),
      import("../../fleet/read-definition-schema.ts"),
    ]);
    context.terminal.out(json(fileSchema(serversSchema())));
  },
};
