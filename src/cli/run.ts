import type { Readable, Writable } from "node:stream";
import { type FlagSpec, type GivenFlag, parseArgv } from "../config/argv.ts";
import { flagSpec, LOADER_FLAGS, type LoadInput, loadSettings } from "../config/load.ts";
import { pathRules } from "../config/platform.ts";
import { leaves, type Settings } from "../config/schema.ts";
import { DynamicMcpError, ERRORS } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import type { App, OpenApp } from "./app.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { serveCommand } from "./commands/serve.ts";
import type { Program } from "./connect.ts";
import { safe, safeJson } from "./print.ts";
import { findCommand, flagsFor, looksLikeFile, unknownCommand } from "./which-command.ts";

export interface CliInput extends Omit<LoadInput, "flags"> {
  stdin: Readable;
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable;
  program: Program;
  /** By which name we were called: `dmcp` is a proxy for the servers of a file, unless it is told otherwise. */
  calledAs?: "dynamic-mcp" | "dmcp";
  openApp: OpenApp;
  /** Resolves when somebody asks the program to stop, by a signal or by going away. */
  stopped: Promise<void>;
}

const COMMON: readonly FlagSpec[] = [
  { names: ["--help", "-h"], form: "switch" },
  { names: ["--version", "-V"], form: "switch" },
];
/** To let go of everything once calls have ended, a store that somebody else keeps locked included, in ms. */
const CLOSE_MS = 15_000;
const DMCP_USAGE = `Usage: dmcp <file>

Serves the servers of a file, {"mcpServers": {...}}, as one over stdio. The file can be named by the variable
DYNAMIC_MCP_CONFIG too. \`dmcp serve\` serves without one; \`dmcp --help\` lists everything else.`;
const INTERRUPTED = ERRORS.CANCELLED.exit;

/**
 * Runs one command line.
 *
 * Results go to stdout, everything else to stderr: a refusal as one sentence, or as JSON with `--json`.
 *
 * @returns the exit code: 0, or that of the error's entry in the table of errors
 */
export async function runCli(input: CliInput): Promise<number> {
  // What stands behind `--` is somebody else's.
  const end = input.argv.indexOf("--");
  const isJson = (end < 0 ? input.argv : input.argv.slice(0, end)).includes("--json");
  try {
    return await dispatch(input, isJson);
  } catch (error) {
    const code = error instanceof DynamicMcpError ? error.code : "INTERNAL";
    input.stderr.write(`${isJson ? asJson(error, code) : inWords(error)}\n`);
    return ERRORS[code].exit;
  }
}

async function dispatch(input: CliInput, isJson: boolean): Promise<number> {
  const terminal = terminalOf(input);
  const settingFlags = [...LOADER_FLAGS, ...leaves().map(flagSpec)];
  const plain = parseArgv(input.argv, [...COMMON, ...settingFlags]);
  if (has(plain.flags, "--version")) {
    terminal.out(isJson ? JSON.stringify({ name: "dynamic-mcp", version: VERSION }) : VERSION);
    return 0;
  }
  // The usual start loads no other command.
  const file = plain.problems.length === 0 ? serveOnly(plain.positionals) : undefined;
  if (file && !has(plain.flags, "--help")) {
    return await runCommand(serveCommand(input.program), input, terminal, { isJson, flags: [], ...file });
  }

  const { allCommands } = await import("./commands.ts");
  const commands = allCommands(input.program);
  const first = parseArgv(input.argv, [...COMMON, ...settingFlags, ...flagsFor(undefined, commands, settingFlags)]);
  const found = findCommand(first.positionals, commands) ?? fileInstead(input, first.positionals, commands);
  const flags = flagsFor(found?.command, commands, settingFlags);
  const { positionals, flags: given, problems } = parseArgv(input.argv, [...COMMON, ...settingFlags, ...flags]);
  if (has(given, "--help")) {
    const { helpFor, overview } = await import("./help.ts");
    terminal.out(found && positionals.length > 0 ? helpFor(found.command) : overview(commands));
    return 0;
  }
  // The value of an unknown flag looks like a command, so the flag is named first.
  if (!found && problems.length > 0) throw new DynamicMcpError("INVALID_REQUEST", problems.join("; "));
  if (!found) throw unknownCommand(positionals, commands);
  const { unknownFlagHint } = found.command;
  if (unknownFlagHint !== undefined && problems.length > 0) throw new DynamicMcpError("INVALID_REQUEST", `${problems.join("; ")} ${unknownFlagHint}`); // prettier-ignore
  return await runCommand(found.command, input, terminal, { isJson, flags, words: found.words });
}

/** @returns how many words say `serve`: none or one; undefined for other commands */
function serveOnly([first, ...others]: readonly string[]): { words: number } | undefined {
  if (first === undefined || (looksLikeFile(first) && others.length === 0)) return { words: 0 };
  return first === "serve" && others.length < 2 ? { words: 1 } : undefined;
}

/** A word that names no command may name a file. */
function fileInstead(input: CliInput, [word, ...others]: readonly string[], commands: readonly Command[]) {
  if (word === undefined || others.length > 0) return undefined;
  const command = findCommand([], commands)?.command;
  try {
    const isThere = input.readFile(pathRules(input.platform).resolve(input.cwd, word)) !== undefined;
    return isThere && command ? { command, words: 0 } : undefined;
  } catch {
    return undefined; // a folder
  }
}

async function runCommand(
  command: Command,
  input: CliInput,
  terminal: Terminal,
  { isJson, flags, words }: { isJson: boolean; flags: readonly FlagSpec[]; words: number },
): Promise<number> {
  const loaded = await loadSettings({
    ...input,
    flags,
    ...(input.calledAs === "dmcp" && { defaults: { "server.profiles": ["proxy"] } }),
    ...configFileOf(command, input.argv, flags, words),
  });
  const given = loaded.rest.flags;
  for (const { spec, name } of given) {
    if (!command.flags.some((flag) => flag.names[0] === spec.names[0])) {
      throw wrongUsage(`${command.name} has no flag ${name}`, command);
    }
  }
  if (input.calledAs === "dmcp" && words === 0 && command.servesOthers && loaded.file === undefined) {
    terminal.err(DMCP_USAGE);
    return 1;
  }
  let isStopped = false;
  void input.stopped.then(() => (isStopped = true));
  let app: Promise<App> | undefined;
  const context: CommandContext = {
    args: argumentsOf(command, loaded.rest.positionals.slice(words)),
    flags: (name) => given.filter(({ spec }) => spec.names.includes(name)).map(({ text }) => text),
    flag: (name) => given.findLast(({ spec }) => spec.names.includes(name))?.text,
    has: (name) => has(given, name),
    isJson,
    loaded,
    app: () =>
      (app ??= input.openApp(command.servesOthers ? loaded.settings : unlimited(loaded.settings), loaded.ambient, {
        isServing: command.servesOthers ?? false,
      })),
    terminal,
    cwd: input.cwd,
    stopped: input.stopped,
    isStopped: () => isStopped,
  };
  const whole = async () => {
    try {
      const running = command.handler(context).then((code) => code ?? 0);
      if (command.stopsItself) return await running;
      running.catch(() => {}); // whoever interrupted does not wait for its end
      return await Promise.race([running, input.stopped.then(() => INTERRUPTED)]);
    } finally {
      await (await app?.catch(() => undefined))?.close();
    }
  };
  return await endsOnceStopped(whole(), input.stopped, loaded.settings.server.shutdownGraceMs + CLOSE_MS);
}

/** Whatever hangs, a program that was told to stop ends. */
async function endsOnceStopped(running: Promise<number>, stopped: Promise<void>, withinMs: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = stopped.then(
    () => new Promise<number>((resolve) => (timer = setTimeout(() => resolve(INTERRUPTED), withinMs))),
  );
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A folder of a thousand tools is one command; its calls are the operator's own. */
function unlimited(settings: Settings): Settings {
  return { ...settings, guard: { ...settings.guard, maxCallsPerWindow: Number.MAX_SAFE_INTEGER } };
}

/** `serve` takes the file as an argument, which has to be known before everything else. */
function configFileOf(command: Command, argv: readonly string[], flags: readonly FlagSpec[], words: number) {
  if (!command.servesOthers) return {};
  const { positionals } = parseArgv(argv, [...LOADER_FLAGS, ...leaves().map(flagSpec), ...flags]);
  const [configFile, ...others] = positionals.slice(words);
  return configFile === undefined || others.length > 0 ? {} : { configFile };
}

function argumentsOf(command: Command, words: readonly string[]): Record<string, string[]> {
  const left = [...words];
  const found: Record<string, string[]> = {};
  for (const { name, isOptional, repeats } of command.args) {
    const taken = left.splice(0, repeats ? left.length : 1);
    if (taken.length === 0 && !isOptional) throw wrongUsage(`${command.name} needs <${name}>`, command);
    if (taken.length > 0) found[name] = taken;
  }
  if (left.length > 0) throw wrongUsage(`${command.name} does not take ${JSON.stringify(left[0])}`, command);
  return found;
}

function wrongUsage(message: string, command: Command): DynamicMcpError {
  return new DynamicMcpError("INVALID_REQUEST", `${message}; see \`dynamic-mcp ${command.name} --help\``);
}

function terminalOf({ stdin, stdout, stderr }: CliInput): Terminal {
  return {
    stdin,
    stdout,
    isPerson: stdout.isTTY === true,
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
  };
}

function has(flags: readonly GivenFlag[], name: string): boolean {
  const last = flags.findLast(({ spec }) => spec.names.includes(name));
  return last !== undefined && !["0", "false", "no", "off"].includes(last.text.toLowerCase());
}

function inWords(error: unknown): string {
  if (error instanceof DynamicMcpError) return `dynamic-mcp: ${safe(error.message)} (${error.code})`;
  return `dynamic-mcp: a fault of ours: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function asJson(error: unknown, code: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const data = error instanceof DynamicMcpError && { data: error.data };
  return safeJson(JSON.stringify({ error: { code, message, ...data } }));
}
