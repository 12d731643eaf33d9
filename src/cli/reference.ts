import { ERRORS } from "../core/errors.ts";
import type { Command } from "./command.ts";
import { flagTitle, usage } from "./help.ts";

/** `docs/reference/cli.md`. */
export function cliPage(commands: readonly Command[]): string {
  const lines = [
    "# Command line",
    "",
    "Made by `npm run generate` from `src/cli`; do not edit.",
    "",
    "`dynamic-mcp` without a command serves MCP clients. Every setting of [configuration.md](configuration.md) is a flag",
    "of every command. `--json` prints JSON on stdout, and errors as",
    '`{ "error": { "code", "message", "data" } }` on stderr. `--help` after a command shows help for it.',
    "",
    "`dmcp` is the same program, with the profile `proxy` where nothing else is said: `dmcp servers.json`, or `dmcp` with",
    "the variable `DYNAMIC_MCP_CONFIG`, serves the servers of that file over stdio, as two tools.",
    "",
    "Verbs act on the store of the data folder as its operator, also while a server runs on it; its clients are told.",
    "",
    "## Exit codes",
    "",
    "| code | meaning |",
    "| --- | --- |",
    "| 0 | done |",
    "| 1 | refused, or the tool failed |",
    "| 2 | wrong usage, arguments or configuration |",
    "| 3 | not allowed |",
    "| 4 | something that the operator has to provide is missing, such as a writable store |",
    "| 5 | too much at once; the same command may work later |",
    "| 70 | a fault of ours |",
    "| 130 | interrupted; by SIGTERM 143, as shells count signals |",
  ];
  for (const command of commands) {
    const { name, shortForm, summary, details, args, flags, examples } = command;
    lines.push("", `## ${name}`, "", summary, "", "```sh", usage(command), "```");
    if (shortForm !== undefined) lines.push("", `Short: \`dynamic-mcp ${shortForm}\`.`);
    if (details) lines.push("", details);
    if (args.length > 0) {
      lines.push("", "| argument | meaning |", "| --- | --- |");
      for (const each of args) lines.push(row(`\`${each.name}\`${each.isOptional ? " (optional)" : ""}`, each.about));
    }
    if (flags.length > 0) {
      lines.push("", "| flag | meaning |", "| --- | --- |");
      for (const flag of flags) lines.push(row(`\`${flagTitle(flag)}\``, flag.about));
    }
    if (examples.length > 0) {
      lines.push("", "```sh", ...examples.map((each) => `dynamic-mcp ${each}`.trim()), "```");
    }
  }
  return `${lines.join("\n")}\n`;
}

/** `docs/reference/errors.md`. */
export function errorsPage(): string {
  const lines = [
    "# Errors",
    "",
    "Made by `npm run generate` from `src/core/errors.ts`; do not edit.",
    "",
    "The code is the contract; messages are for people and may change. Over MCP the code of a refusal is in",
    "`error.data.code`, that of a tool that failed in `_meta` of its result, under `dynamic-mcp/error`. `exit` is the",
    "exit code of the command line. With `retry`, the same request may succeed later, unchanged.",
    "",
    "| code | whose fault | HTTP | exit | retry | meaning |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  for (const [code, { fault, http, exit, retryable, summary }] of Object.entries(ERRORS)) {
    lines.push(row(`\`${code}\``, FAULTS[fault], String(http), String(exit), retryable ? "yes" : "", summary));
  }
  return `${lines.join("\n")}\n`;
}

const FAULTS = { caller: "the caller's", operator: "the operator's", us: "ours" };
const row = (...cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
