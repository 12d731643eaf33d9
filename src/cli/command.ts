import type { Readable, Writable } from "node:stream";
import type { FlagSpec } from "../config/argv.ts";
import type { Loaded } from "../config/load.ts";
import type { App } from "./app.ts";

/** A command as data: the parser, `--help` and the reference page are made from it. */
export interface Command {
  /** One or two words, as typed. */
  name: string;
  /** One word for the same. */
  shortForm?: string;
  summary: string;
  /** More about it, for its own help: whole sentences. */
  details?: string;
  args: readonly Argument[];
  flags: readonly CommandFlag[];
  /** Without the program's name. */
  examples: readonly string[];
  /** Added to what is said about flags that it does not know. */
  unknownFlagHint?: string;
  /** It ends by itself when it is told to stop; others are left behind. */
  stopsItself?: boolean;
  /** It acts for others, whose calls are limited. What the operator does by command is not. */
  servesOthers?: boolean;
  /** @returns the exit code, 0 when absent @throws DynamicMcpError whose code decides the exit code */
  handler(context: CommandContext): Promise<number | void>;
}

export interface Argument {
  name: string;
  about: string;
  isOptional?: boolean;
  /** Takes all that is left. */
  repeats?: boolean;
}

export interface CommandFlag extends FlagSpec {
  about: string;
  /** What a value stands for, in help: `<file>`. */
  value?: string;
}

export interface CommandContext {
  /** By the argument's name; one that repeats has several. */
  args: Readonly<Record<string, readonly string[] | undefined>>;
  /** The last value of a flag. */
  flag(name: string): string | undefined;
  /** All values of a flag, in order. */
  flags(name: string): readonly string[];
  has(name: string): boolean;
  isJson: boolean;
  loaded: Loaded;
  /** Opened at the first use, closed when the command has ended. */
  app(): Promise<App>;
  terminal: Terminal;
  cwd: string;
  /** Resolves when somebody asks the program to stop. */
  stopped: Promise<void>;
  isStopped(): boolean;
}

/** Where a command reads and writes. Results go to `out`, everything else to `err`. */
export interface Terminal {
  stdin: Readable;
  stdout: Writable;
  /** One line or several; a newline is added. */
  out(text: string): void;
  err(text: string): void;
  /** Somebody may be reading: a person, not a program. */
  isPerson: boolean;
}

/** The first value of an argument that must be there; the parser has made sure. */
export function argument(context: CommandContext, name: string): string {
  return context.args[name]?.[0] ?? "";
}

export const JSON_FLAG: CommandFlag = { names: ["--json"], form: "switch", about: "Print JSON, for programs." };
