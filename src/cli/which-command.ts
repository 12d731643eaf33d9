import type { FlagSpec } from "../config/argv.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { nearest } from "../core/names.ts";
import type { Command } from "./command.ts";

export interface Found {
  command: Command;
  /** How many words name it. */
  words: number;
}

/** @param positionals none stands for `serve` */
export function findCommand(positionals: readonly string[], commands: readonly Command[]): Found | undefined {
  const called = (name: string) => commands.find((each) => each.name === name || each.shortForm === name);
  const two = called(positionals.slice(0, 2).join(" "));
  if (two && positionals.length > 1) return { command: two, words: 2 };
  const one = called(positionals[0] ?? "serve");
  return one && { command: one, words: Math.min(positionals.length, 1) };
}

/** `dynamic-mcp servers.json`: a file in the place of a command. */
export function looksLikeFile(word: string): boolean {
  return /\.(jsonc?|json5)$/i.test(word) || /[/\\]/.test(word);
}

/**
 * The flags of all commands, so that one that belongs to another command is named as such. A command's own flag may
 * have the name of a setting's, which then is the command's; with other commands it is the setting's.
 */
export function flagsFor(
  own: Command | undefined,
  commands: readonly Command[],
  settings: readonly FlagSpec[],
): FlagSpec[] {
  const taken = new Set(settings.flatMap(({ names }) => names));
  const others = commands.filter((each) => each !== own).flatMap(({ flags }) => flags);
  const free = others.filter(({ names }) => !names.some((name) => taken.has(name)));
  return [...new Map([...free, ...(own?.flags ?? [])].map((flag) => [flag.names[0], flag])).values()];
}

export function unknownCommand(positionals: readonly string[], commands: readonly Command[]): DynamicMcpError {
  const typed = positionals.slice(0, 2).join(" ");
  const names = commands.flatMap(({ name, shortForm }) => [name, ...(shortForm === undefined ? [] : [shortForm])]);
  const inGroup = names.filter((name) => name.startsWith(`${positionals[0]} `));
  const near = nearest(typed, names) ?? nearest(positionals[0] ?? "", names);
  const hint =
    near !== undefined
      ? `did you mean \`${near}\`?`
      : inGroup.length > 0
        ? `there are ${inGroup.map((name) => `\`${name}\``).join(", ")}`
        : "`dynamic-mcp --help` lists the commands";
  return new DynamicMcpError("INVALID_REQUEST", `unknown command \`${typed}\`; ${hint}`);
}
