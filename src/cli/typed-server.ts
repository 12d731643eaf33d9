import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { readDefinitions } from "../fleet/read-definition.ts";
import { argument, type CommandContext } from "./command.ts";
import { parseObject } from "./values.ts";

const TYPES = ["stdio", "http", "sse", "streamable-http"];

/**
 * What somebody typed after `add`, as the member of `mcpServers` in a file; variables stay what they are. What is
 * relative to the current folder is made absolute: whoever serves later runs elsewhere.
 *
 * @throws INVALID_ARGUMENTS
 */
export function typedServer(context: CommandContext): JsonObject {
  const [target, ...args] = context.args["target"] ?? [];
  const env = pairs(context.flags("-e"), /^([^=\s]+)=(.*)$/s, "-e takes NAME=value");
  const headers = pairs(context.flags("-H"), /^([^:\s]+):\s*(.*)$/s, '-H takes "Name: value"');
  const type = context.flag("--type");
  if (type !== undefined && !TYPES.includes(type)) throw wrong(`--type is one of ${TYPES.join(", ")}, not ${JSON.stringify(type)}`); // prettier-ignore
  const about = { ...(type !== undefined && { type }), ...described(context) };

  if (target?.startsWith("{") && args.length === 0) return { ...parseObject(target, "the definition"), ...about };
  const url = context.flag("--url") ?? (target !== undefined && /^https?:\/\//i.test(target) ? target : undefined);
  const cwd = context.flag("--cwd");
  if (url !== undefined) {
    const extra = url === target ? args[0] : target;
    if (extra !== undefined) throw wrong(`a server at a URL has no command; what is ${JSON.stringify(extra)} for?`);
    if (env !== undefined || cwd !== undefined) throw wrong("-e and --cwd are for servers that we start; one at a URL takes -H"); // prettier-ignore
    if (type === "stdio") throw wrong("--type stdio takes a command, not a URL");
    return { ...about, url, ...(headers && { headers }) };
  }
  if (target === undefined) throw wrong(`what is ${argument(context, "name")}? Add a command behind --, or --url`);
  if (type !== undefined && type !== "stdio") throw wrong(`--type ${type} takes a URL that begins with http:// or https://`); // prettier-ignore
  if (headers !== undefined) throw wrong("-H is for servers at a URL; one that we start takes -e");
  const isNearby = args.some((arg) => isNearbyFile(arg, context.cwd));
  const folder = cwd === undefined ? (isNearby ? context.cwd : undefined) : fromHere(context, cwd);
  return {
    ...about,
    command: /[/\\]/.test(target) ? fromHere(context, target) : target,
    ...(args.length > 0 && { args }),
    ...(env && { env }),
    ...(folder !== undefined && { cwd: folder }),
  };
}

/**
 * What a variable makes of a definition is known only where it is served, and can change: one with variables passes.
 *
 * @throws INVALID_ARGUMENTS saying what could never work
 */
export function assertUsable(context: CommandContext, name: string, definition: JsonObject): void {
  if (JSON.stringify(definition).includes("${")) return;
  const around = { env: {}, folder: context.cwd, homeDir: context.cwd };
  const { problems } = readDefinitions({ [name]: definition }, { ...around, origin: "store", where: () => "store" });
  const problem = problems.find(({ isRemark }) => !isRemark);
  if (problem !== undefined) throw wrong(`${name} cannot be used, and is not kept: ${problem.message}`);
}

function described(context: CommandContext): JsonObject {
  const description = context.flag("--description");
  return description === undefined ? {} : { description };
}

/** What only somebody in this folder can mean by it. */
function isNearbyFile(arg: string, folder: string): boolean {
  if (/^\.\.?([/\\]|$)/.test(arg)) return true;
  return arg !== "" && !arg.startsWith("-") && !isAbsolute(arg) && existsSync(resolve(folder, arg));
}

function fromHere(context: CommandContext, path: string): string {
  return path.startsWith("~") || path.includes("${") ? path : resolve(context.cwd, path);
}

function pairs(texts: readonly string[], form: RegExp, rule: string): JsonObject | undefined {
  if (texts.length === 0) return undefined;
  const found = texts.map((text): [string, string] => {
    const [, name, value] = form.exec(text) ?? [];
    // What was typed may be a secret.
    if (name === undefined || value === undefined) throw wrong(`${rule}, with no value shown here: got ${text.length} characters`); // prettier-ignore
    return [name, value];
  });
  return Object.fromEntries(found);
}

const wrong = (message: string) => new DynamicMcpError("INVALID_ARGUMENTS", message);
