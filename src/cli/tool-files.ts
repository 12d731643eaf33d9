import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { LIMITS } from "../core/limits.ts";
import { ensureFolder } from "../machine/files.ts";
import { readPlainFile, writePlainFile } from "./plain-file.ts";
import { parseJson } from "./values.ts";

/**
 * Tools as files that live well in git: for each tool `<name>.tool.json` with what is said about it, and `<name>.js`
 * or `<name>.ts` with its code, byte for byte, so that a change of code is a change of lines of code. Fields have one order, and those at their default are left out.
 */

const SUFFIX = ".tool.json";
const FIELDS = [
  "name",
  "title",
  "description",
  "enabled",
  "timeoutMs",
  "image",
  "dependencies",
  "network",
  "secrets",
  "uses",
  "annotations",
  "inputSchema",
  "outputSchema",
  "examples",
] as const;

/** What an author may leave out, as `tools create` fills it in. */
const DEFAULTS: JsonObject = {
  enabled: true,
  timeoutMs: LIMITS.timeoutMs.default,
  image: "node:lts-slim",
  dependencies: [],
  network: [],
  secrets: [],
  uses: [],
  examples: [],
};

/** A tool as its author wrote it: the arguments of `dynamic.tool.create`. */
export type Definition = JsonObject & { name: string; code: string };

/** Also takes what `dynamic.tool.get` answers; what the store added is left out. */
export function toDefinition(tool: JsonObject): Definition {
  const found: JsonObject = {};
  for (const field of [...FIELDS, "language", "code"]) {
    const value = tool[field];
    if (value !== undefined && value !== null) found[field] = value;
  }
  return found as Definition;
}

/** Two definitions that mean the same tool. */
export function isSame(one: Definition, other: Definition): boolean {
  return canonical(withDefaults(one)) === canonical(withDefaults(other));
}

/** @returns names of the files and what they hold */
function toFiles(tool: Definition, base: string): { name: string; text: string }[] {
  const codeFile = `${base}.${tool["language"] === "ts" ? "ts" : "js"}`;
  const said: JsonObject = {};
  for (const field of FIELDS) {
    const value = tool[field];
    if (value === undefined || canonical(value) === canonical(DEFAULTS[field] ?? null)) continue;
    said[field] = value;
  }
  return [
    { name: `${base}${SUFFIX}`, text: `${JSON.stringify({ ...said, codeFile }, undefined, 2)}\n` },
    { name: codeFile, text: tool.code },
  ];
}

/**
 * @param baseOf the name of a tool's files, without their endings
 * @throws INVALID_ARGUMENTS when they cannot be written there
 */
export async function writeTools(folder: string, tools: readonly Definition[], baseOf: (name: string) => string) {
  try {
    ensureFolder(folder);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DynamicMcpError("INVALID_ARGUMENTS", `${folder} cannot be made: ${reason}`, { cause });
  }
  for (const tool of tools) {
    for (const { name, text } of toFiles(tool, baseOf(tool.name))) await writePlainFile(join(folder, name), text);
  }
}

/** All tools of a folder, in the order of their names; or those of an older `tools.json`. */
export async function readTools(path: string): Promise<Definition[]> {
  if (path.endsWith(SUFFIX)) return [await readToolFile(path)];
  if (path.endsWith(".json")) return olderTools(parseJson(await readPlainFile(path), path), path);
  const names = await readdir(path).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DynamicMcpError("INVALID_ARGUMENTS", `${path} cannot be read: ${reason}`, { cause });
  });
  const files = names.filter((name) => name.endsWith(SUFFIX)).toSorted();
  if (files.length === 0) {
    throw new DynamicMcpError("INVALID_ARGUMENTS", `${path} holds no tools: there is no file named <name>${SUFFIX}`);
  }
  const tools = await Promise.all(files.map((name) => readToolFile(join(path, name), path)));
  const fileOf = new Map<string, string>();
  tools.forEach(({ name }, index) => {
    const [first, second = ""] = [fileOf.get(name), files[index]];
    if (first !== undefined) {
      throw new DynamicMcpError("INVALID_ARGUMENTS", `${first} and ${second} are both the tool ${name}; remove the one that is out of date`); // prettier-ignore
    }
    if (typeof name === "string") fileOf.set(name, second);
  });
  return tools;
}

/**
 * @param path of a `<name>.tool.json`; its code is in `code`, or in the file beside it that `codeFile` names
 * @param within the folder that it may not lead out of; whoever names a single file may name a link
 */
export async function readToolFile(path: string, within?: string): Promise<Definition> {
  const said = parseJson(await readPlainFile(path, within), path);
  if (!isJsonObject(said)) throw new DynamicMcpError("INVALID_ARGUMENTS", `${path} has to hold a JSON object`);
  const { codeFile, $schema: _, ...tool } = said;
  if (typeof tool["code"] === "string") return tool as Definition;
  const name = typeof codeFile === "string" ? codeFile : `${basename(path, SUFFIX)}.js`;
  if (basename(name) !== name) {
    throw new DynamicMcpError(
      "INVALID_ARGUMENTS",
      `${path}: codeFile has to be a file in the same folder, not ${name}`,
    );
  }
  const code = await readPlainFile(join(dirname(path), name), dirname(path));
  const language = name.endsWith(".ts") ? { language: "ts" } : {};
  return { ...language, ...tool, code } as Definition;
}

/** `{ "version": 1, "tools": [...] }` of the older dynamic-mcp; revisions and times are left behind. */
function olderTools(content: Json, path: string): Definition[] {
  const tools = isJsonObject(content) ? content["tools"] : undefined;
  if (Array.isArray(tools)) return tools.filter(isJsonObject).map(toDefinition);
  throw new DynamicMcpError("INVALID_ARGUMENTS", `${path} is not a tools.json: it has no list "tools"; a single tool is a file <name>${SUFFIX}`); // prettier-ignore
}

function withDefaults(tool: Definition): JsonObject {
  return { ...DEFAULTS, language: "js", ...toDefinition(tool) };
}

/** JSON text with keys in one order, for comparing. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_, each: unknown) =>
    isJsonObject(each) ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1))) : each,
  );
}
