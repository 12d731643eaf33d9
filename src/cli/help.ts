import { LOADER_FLAGS } from "../config/load.ts";
import { settingsHelp, wrap } from "../config/render.ts";
import type { Argument, Command, CommandFlag } from "./command.ts";

const NAME = "dynamic-mcp";
const WIDTH = 100;

/** What `--help` without a command prints. */
export function overview(commands: readonly Command[]): string {
  const called = ({ name, shortForm }: Command) => (shortForm === undefined ? name : `${name}, ${shortForm}`);
  const width = Math.max(...commands.map((each) => called(each).length));
  return [
    `${NAME}: one MCP endpoint whose tools change while it runs.`,
    "",
    `Usage: ${NAME} [command] [arguments] [flags]`,
    "",
    "Commands:",
    ...commands.map((each) => `  ${called(each).padEnd(width)}  ${each.summary}`),
    "",
    "Flags:",
    "  --help, -h     Help; after a command, help for that command. `serve --help` lists all settings.",
    "  --version, -V  The version.",
    "  --json         Print JSON, for programs.",
    ...flagLines(LOADER_FLAGS.map((flag) => ({ ...flag, value: "file" }))),
    "",
    `Settings that are often used: --transport stdio|http, --port, --host, --profile, --data-dir, --log-level.`,
    "Exit codes: 0 well, 1 refused or failed, 2 wrong usage or configuration, 3 not allowed,",
    "4 something of the operator's is missing, 5 try again later, 70 a fault of ours.",
  ].join("\n");
}

/** What `<command> --help` prints. */
export function helpFor(command: Command): string {
  const { name, shortForm, summary, details, args, flags, examples } = command;
  const lines = [summary, "", `Usage: ${usage(command)}`];
  if (shortForm !== undefined) lines.push(`Short: ${NAME} ${shortForm}`);
  if (details) lines.push("", ...wrap(details.replaceAll("`", ""), WIDTH));
  if (args.length > 0) {
    const width = Math.max(...args.map((each) => shown(each).length));
    lines.push(
      "",
      "Arguments:",
      ...args.map((each) => `  ${shown(each).padEnd(width)}  ${each.about.replaceAll("`", "")}`),
    );
  }
  if (flags.length > 0) lines.push("", "Flags:", ...flagLines(flags));
  if (examples.length > 0) lines.push("", "Examples:", ...examples.map((each) => `  ${`${NAME} ${each}`.trim()}`));
  if (name === "serve") lines.push("", settingsHelp(WIDTH));
  else lines.push("", "All settings are flags here too, such as --data-dir; `serve --help` lists them.");
  return lines.join("\n");
}

export function usage({ name, args, flags }: Command): string {
  const parts = [NAME, name, ...args.map(shown)];
  return `${parts.join(" ")}${flags.length > 0 || name === "serve" ? " [flags]" : ""}`;
}

export function flagTitle({ names, form, value }: CommandFlag): string {
  return `${names.join(", ")}${form === "value" ? ` <${value ?? "value"}>` : ""}`;
}

function flagLines(flags: readonly CommandFlag[]): string[] {
  return flags.flatMap((flag) => [`  ${flagTitle(flag)}`, ...wrap(flag.about.replaceAll("`", ""), WIDTH, "      ")]);
}

function shown({ name, isOptional, repeats }: Argument): string {
  const text = repeats ? `${name}...` : name;
  return isOptional ? `[${text}]` : `<${text}>`;
}
