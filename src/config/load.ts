import { parseEnv } from "node:util";
import { DynamicMcpError } from "../core/errors.ts";
import { nearest } from "../core/names.ts";
import { type Ambient, isAmbientSecret, readAmbient, type ServersPart } from "./ambient.ts";
import { type Argv, type FlagSpec, parseArgv } from "./argv.ts";
import type { ConfigProblem, Given, Origin } from "./origin.ts";
import { type Machine, pathRules, platformConfigDir, platformDataDir } from "./platform.ts";
import { refusals, remarks } from "./refuse.ts";
import { type Leaf, type Settings, leaves as allLeaves } from "./schema.ts";
import { type Known, envNames, flagNames } from "./setting.ts";

const CONFIG_FILE = "dynamic-mcp.json";

/**
 * Flags and variables that say where to look for settings; they are not settings themselves. Node takes `--env-file`
 * for itself wherever it stands, and runs the NODE_OPTIONS in it: ours has another name.
 */
export const LOADER_FLAGS = [
  { names: ["--config"], form: "value", about: `Configuration file with settings and other servers; default: \`${CONFIG_FILE}\` in the data folder or the user's configuration folder, if there is one.`, env: "DYNAMIC_MCP_CONFIG" },
  { names: ["--dotenv"], form: "value", about: "File with lines NAME=value, read as if they were in the environment, which wins. A `.env` in the current folder is not read unless it is named here." },
] as const; // prettier-ignore

export interface LoadInput extends Machine {
  /** Without the program's own two words. */
  argv: readonly string[];
  cwd: string;
  /** @returns undefined when there is no such file @throws when it cannot be read */
  readFile(path: string): string | undefined;
  /** Flags that are not settings; they come back in `rest`. One with the name of a setting's flag stands for itself. */
  flags?: readonly FlagSpec[];
  /** The configuration file, where an argument names it. */
  configFile?: string;
  /** Other defaults, by key. */
  defaults?: Readonly<Record<string, unknown>>;
}

export interface Loaded {
  settings: Settings;
  /** By `group.name`; complete. */
  origins: ReadonlyMap<string, Origin>;
  warnings: string[];
  ambient: Ambient;
  /** Words and flags that are not ours: the command's. */
  rest: Pick<Argv, "flags" | "positionals">;
  /** The configuration file that was read. */
  file?: string;
}

/**
 * Finds, reads and checks all settings: defaults < file < environment < flags.
 *
 * Only the value that wins is checked, so that a flag can repair a bad variable. zod and the reader of JSON with
 * comments are loaded when there is something for them to do: a start on plain defaults pays for neither.
 *
 * @throws CONFIG_INVALID with all problems at once; `data.problems` is `{ where, message }[]`
 */
export async function loadSettings(input: LoadInput): Promise<Loaded> {
  const leaves = allLeaves();
  const problems: ConfigProblem[] = [];
  const argv = parseArgv(input.argv, [...LOADER_FLAGS, ...leaves.map(flagSpec), ...(input.flags ?? [])]);
  problems.push(...argv.problems.map((message) => ({ where: "command line", message })));

  const { env, whereOfEnv } = readEnvironment(input, textOf(argv, "--dotenv"), problems);
  const fromFlags = givenByFlags(argv, leaves, input.cwd);
  const fromEnv = givenByEnv(env, whereOfEnv, leaves, input.cwd);
  const file = await givenByFile(input, argv, env, [...fromEnv, ...fromFlags], leaves, problems);

  const winners = new Map([...file.given, ...fromEnv, ...fromFlags].map((given) => [given.leaf.key, given]));
  const { values, origins } = await valuesOf(winners, leaves, input, problems);
  const settings = assemble(values, leaves);
  if (problems.length === 0) problems.push(...refusals(settings, origins));
  if (problems.length > 0) throw invalid(problems);
  return {
    settings,
    origins,
    warnings: [...unknownVariables(env, leaves), ...remarks(settings, origins, leaves), ...file.remarks],
    ambient: {
      ...readAmbient(env, input.homeDir, leaves),
      ...(file.servers === undefined ? {} : { servers: file.servers }),
    },
    rest: { positionals: argv.positionals, flags: argv.flags.filter(({ spec }) => input.flags?.includes(spec)) },
    ...(file.servers === undefined ? {} : { file: file.servers.file }),
  };
}

export function flagSpec(leaf: Leaf): FlagSpec {
  return { names: flagNames(leaf.setting), form: leaf.setting.form === "switch" ? "switch" : "value" };
}

function textOf(argv: Argv, name: string): string | undefined {
  return argv.flags.findLast(({ spec }) => spec.names[0] === name)?.text;
}

function readEnvironment(input: LoadInput, envFile: string | undefined, problems: ConfigProblem[]) {
  if (envFile === undefined) return { env: input.env, whereOfEnv: (name: string) => name };
  const path = pathRules(input.platform).resolve(input.cwd, envFile);
  const text = read(input, path, "--dotenv", problems) ?? "";
  const fromFile = parseEnv(text);
  const whereOfEnv = (name: string) => (input.env[name] === undefined ? `${name} in ${path}` : name);
  return { env: { ...fromFile, ...input.env }, whereOfEnv };
}

function read(input: LoadInput, path: string, asked: string, problems: ConfigProblem[]): string | undefined {
  try {
    const text = input.readFile(path);
    if (text === undefined) problems.push({ where: asked, message: `there is no file ${path}` });
    return text;
  } catch (error) {
    problems.push({
      where: asked,
      message: `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    });
    return undefined;
  }
}

function givenByFlags(argv: Argv, leaves: readonly Leaf[], base: string): Given[] {
  const byFlag = new Map<string | undefined, Leaf>(leaves.map((leaf) => [flagNames(leaf.setting)[0], leaf]));
  const found = new Map<string, Given & { value: { texts: string[] } }>();
  for (const { spec, name, text } of argv.flags) {
    const leaf = byFlag.get(spec.names[0]);
    if (!leaf) continue;
    const earlier = found.get(leaf.key);
    if (earlier) earlier.value.texts.push(text);
    else found.set(leaf.key, { leaf, origin: { from: "flag", where: name }, value: { texts: [text] }, base });
  }
  return [...found.values()];
}

function givenByEnv(
  env: Machine["env"],
  where: (name: string) => string,
  leaves: readonly Leaf[],
  base: string,
): Given[] {
  return leaves.flatMap((leaf): Given[] => {
    for (const name of envNames(leaf.setting)) {
      const text = env[name];
      // Compose files write `${X:-}`: an empty variable is an unset one, except where nothing is a value.
      if (text === undefined || (text.trim() === "" && !leaf.setting.emptyIsValue)) continue;
      return [{ leaf, origin: { from: "env", where: where(name) }, value: { texts: [text] }, base }];
    }
    return [];
  });
}

/** Reads the file that was named, else the first of those that may be there. */
async function givenByFile(
  input: LoadInput,
  argv: Argv,
  env: Machine["env"],
  given: readonly Given[],
  leaves: readonly Leaf[],
  problems: ConfigProblem[],
): Promise<{ given: Given[]; remarks: string[]; servers?: ServersPart }> {
  const { join, dirname, resolve } = pathRules(input.platform);
  const flag = textOf(argv, "--config");
  const named = input.configFile ?? flag ?? (env["DYNAMIC_MCP_CONFIG"] || undefined);
  if (input.configFile !== undefined && flag !== undefined) {
    problems.push({
      where: "--config",
      message: `the file is named twice; leave one of ${input.configFile} and ${flag}`,
    });
  }
  let path: string | undefined;
  let text: string | undefined;
  if (named !== undefined) {
    path = resolve(input.cwd, named);
    const asked = input.configFile !== undefined ? "command line" : flag === undefined ? "DYNAMIC_MCP_CONFIG" : "--config"; // prettier-ignore
    text = read(input, path, asked, problems);
  } else {
    const textFor = (key: string) => {
      const one = given.findLast(({ leaf }) => leaf.key === key)?.value;
      return one && "texts" in one ? one.texts.at(-1) : undefined;
    };
    const older = textFor("store.importFrom");
    const dataDir = textFor("server.dataDir") ?? (older === undefined ? platformDataDir(input) : dirname(older));
    for (const folder of [resolve(input.cwd, dataDir), platformConfigDir(input)]) {
      path = join(folder, CONFIG_FILE);
      text = input.readFile(path);
      if (text !== undefined) break;
    }
  }
  if (path === undefined || text === undefined) return { given: [], remarks: [] };
  const { readConfigFile } = await import("./file.ts");
  const folder = dirname(path);
  const { mcpServers: raw, places, ...file } = readConfigFile(text, path, folder, leaves);
  problems.push(...file.problems);
  return { ...file, servers: { file: path, folder, raw, places } };
}

async function valuesOf(
  winners: ReadonlyMap<string, Given>,
  leaves: readonly Leaf[],
  input: LoadInput,
  problems: ConfigProblem[],
): Promise<{ values: Map<string, unknown>; origins: Map<string, Origin> }> {
  const { join, dirname } = pathRules(input.platform);
  const values = new Map<string, unknown>();
  const origins = new Map<string, Origin>();
  const checkGiven = winners.size > 0 ? (await import("./check.ts")).checkGiven : undefined;
  for (const { key, setting } of leaves) {
    const given = winners.get(key);
    origins.set(key, given?.origin ?? { from: "default", where: "default" });
    values.set(key, input.defaults?.[key] ?? setting.default);
    if (!given || !checkGiven) continue;
    const checked = await checkGiven(given, input);
    if ("value" in checked) values.set(key, checked.value);
    else problems.push({ where: given.origin.where, message: checked.message });
  }
  // In the order of the tree, so the data folder comes before what lies in it.
  const known: Known = { get: (key) => values.get(key), platformDataDir: platformDataDir(input), join, dirname };
  for (const { key, setting } of leaves) {
    if (setting.derived && !winners.has(key)) values.set(key, setting.derived.from(known));
  }
  return { values, origins };
}

function assemble(values: ReadonlyMap<string, unknown>, leaves: readonly Leaf[]): Settings {
  const settings: Record<string, Record<string, unknown>> = {};
  for (const { key, group, name } of leaves) (settings[group] ??= {})[name] = values.get(key);
  // Each value has passed its own type, or is its default.
  return settings as unknown as Settings;
}

function unknownVariables(env: Machine["env"], leaves: readonly Leaf[]): string[] {
  const known = leaves.flatMap((leaf) => envNames(leaf.setting));
  return Object.keys(env)
    .filter((name) => name.startsWith("MCP_") && !known.includes(name) && !isAmbientSecret(name, leaves))
    .map((name) => {
      const near = nearest(name, known);
      return `the variable ${name} is not one of ours${near ? `; did you mean ${near}?` : ""}`;
    });
}

function invalid(problems: readonly ConfigProblem[]): DynamicMcpError {
  const lines = problems.map(({ where, message }) => `${where}: ${message}`);
  const text =
    lines.length === 1 ? lines[0] : `${lines.length} problems with the configuration:\n  ${lines.join("\n  ")}`;
  return new DynamicMcpError("CONFIG_INVALID", text ?? "", { data: { problems } });
}
