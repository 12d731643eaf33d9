import type { Readable, Writable } from "node:stream";
import { type FlagSpec, type GivenFlag, parseArgv } from "../config/argv.ts";
import { flagSpec, LOADER_FLAGS, type LoadInput, loadSettings } from "../config/load.ts";
import { leaves, type Settings } from "../config/schema.ts";
import { DynamicMcpError, ERRORS } from "../core/errors.ts";
import { nearest } from "../core/names.ts";
import { VERSION } from "../core/version.ts";
import type { App, OpenApp } from "./app.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { serveCommand } from "./commands/serve.ts";
import type { Program } from "./connect.ts";

export interface CliInput extends Omit<LoadInput, "flags"> {
  stdin: Readable;
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable;
  program: Program;
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
const INTERRUPTED = ERRORS.CANCELLED.exit;

/**
 * Runs one command line.
 *
 * Results go to stdout, everything else to stderr: a refusal as one sentence, or as JSON with `--json`.
 *
 * @returns the exit code: 0, or that of the error's entry in the table of errors
 */
export async function runCli(input: CliInput): Promise<number> {
  const isJson = input.argv.includes("--json");
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
  const isPlainStart = plain.problems.length === 0 && plain.positionals.every((word) => word === "serve");
  if (isPlainStart && plain.positionals.length < 2 && !has(plain.flags, "--help")) {
    return await runCommand(serveCommand(input.program), input, terminal, { isJson, flags: [], words: 1 });
  }

  const { allCommands } = await import("./commands.ts");
  const commands = allCommands(input.program);
  const flags = [...new Map(commands.flatMap((each) => each.flags).map((flag) => [flag.names[0], flag])).values()];
  const { positionals, flags: given, problems } = parseArgv(input.argv, [...COMMON, ...flags, ...settingFlags]);
  const command = commandOf(positionals, commands);
  if (has(given, "--help")) {
    const { helpFor, overview } = await import("./help.ts");
    terminal.out(command && positionals.length > 0 ? helpFor(command) : overview(commands));
    return 0;
  }
  // The value of an unknown flag looks like a command, so the flag is named first.
  if (!command && problems.length > 0) throw new DynamicMcpError("INVALID_REQUEST", problems.join("; "));
  if (!command) throw unknownCommand(positionals, commands);
  const words = positionals.length === 0 ? 0 : command.name.split(" ").length;
  return await runCommand(command, input, terminal, { isJson, flags, words });
}

async function runCommand(
  command: Command,
  input: CliInput,
  terminal: Terminal,
  { isJson, flags, words }: { isJson: boolean; flags: readonly FlagSpec[]; words: number },
): Promise<number> {
  const loaded = await loadSettings({ ...input, flags });
  const given = loaded.rest.flags;
  for (const { spec, name } of given) {
    if (!command.flags.some((flag) => flag.names[0] === spec.names[0])) {
      throw wrongUsage(`${command.name} has no flag ${name}`, command);
    }
  }
  let isStopped = false;
  void input.stopped.then(() => (isStopped = true));
  let app: Promise<App> | undefined;
  const context: CommandContext = {
    args: argumentsOf(command, loaded.rest.positionals.slice(words)),
    flag: (name) => given.findLast(({ spec }) => spec.names.includes(name))?.text,
    has: (name) => has(given, name),
    isJson,
    loaded,
    app: () =>
      (app ??= input.openApp(command.servesOthers ? loaded.settings : unlimited(loaded.settings), loaded.ambient)),
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

function commandOf(positionals: readonly string[], commands: readonly Command[]): Command | undefined {
  const wanted = positionals.length === 0 ? "serve" : undefined;
  const two = positionals.slice(0, 2).join(" ");
  return commands.find(({ name }) => name === (wanted ?? two)) ?? commands.find(({ name }) => name === positionals[0]);
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

function unknownCommand(positionals: readonly string[], commands: readonly Command[]): DynamicMcpError {
  const typed = positionals.slice(0, 2).join(" ");
  const names = commands.map(({ name }) => name);
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
  if (error instanceof DynamicMcpError) return `dynamic-mcp: ${error.message} (${error.code})`;
  return `dynamic-mcp: a fault of ours: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function asJson(error: unknown, code: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return JSON.stringify({ error: { code, message, ...(error instanceof DynamicMcpError && { data: error.data }) } });
}
