import { hash } from "node:crypto";
import { isAbsolute, join, resolve } from "node:path";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { UpstreamTarget } from "../upstreams/upstream.ts";
import type { ServerDefinition, ServerOrigin } from "./definition.ts";
import { interpolate, type Surroundings } from "./interpolate.ts";
import { inheritable, joined } from "./read-definition-environment.ts";
import { OTHER_WORDS, remarkOn, remarksOnTimes, SERVER, type WrittenServer } from "./read-definition-fields.ts";
import type { Tell } from "./read-definition-kinds.ts";
import { secretsOf, type TakenAt } from "./read-definition-secrets.ts";

export interface ReadContext extends Surroundings {
  origin: ServerOrigin;
  /** For people, by the server's name: the file and line, or `store`. */
  where: (name: string) => string;
  /** What processes get of it; default: `env`. */
  inheritedEnv?: Surroundings["env"];
  /** In ms, where a definition says nothing. */
  connectTimeoutMs?: number;
  callTimeoutMs?: number;
}

export interface DefinitionProblem {
  server: string;
  where: string;
  message: string;
  /** It works all the same. */
  isRemark: boolean;
}

export interface ReadDefinitions {
  /** In the order of the file. Those that cannot be used say so in `problem`. */
  definitions: ServerDefinition[];
  problems: DefinitionProblem[];
}

const CONNECT_MS = 30_000;
const CALL_MS = 300_000;
const OTHERS_MS = 60_000;
const MAX_CONCURRENCY = 256;
const MAX_NAME_CHARS = 128;
const MAX_DEPTH = 6;
/** Of one server; the rest would only bury them. */
const SHOWN_PROBLEMS = 5;

/**
 * Reads the part `mcpServers` of a configuration, as everyone writes it, and replaces all variables. What is wrong with a
 * server concerns that server alone: it never throws.
 */
export function readDefinitions(raw: JsonObject, context: ReadContext): ReadDefinitions {
  const read: ReadDefinitions = { definitions: [], problems: [] };
  const inherited = new Map<boolean, Record<string, string>>();
  const inherit = (all: boolean) => {
    const known = inherited.get(all) ?? inheritable(context.inheritedEnv ?? context.env, all);
    inherited.set(all, known);
    return known;
  };
  for (const [name, written] of Object.entries(raw)) {
    const one = readOne(name, written, context, inherit);
    const where = one.definition.where;
    read.definitions.push(one.definition);
    const { problem, isEnabled } = one.definition;
    if (problem !== undefined && isEnabled)
      read.problems.push({ server: name, where, message: problem, isRemark: false });
    for (const message of one.remarks) read.problems.push({ server: name, where, message, isRemark: true });
  }
  return read;
}

interface Reading {
  definition: ServerDefinition;
  remarks: string[];
}

type Inherit = (all: boolean) => Record<string, string>;

function readOne(name: string, raw: Json, context: ReadContext, inherit: Inherit): Reading {
  const problems: string[] = [];
  const tell = (at: string, message: string): undefined => {
    problems.push(at === "" ? message : `${at} ${message}`);
  };
  const taken: TakenAt[] = [];
  if (name.trim() === "" || name.length > MAX_NAME_CHARS || /\p{Cc}/u.test(name) || !name.isWellFormed()) tell("", `its name must be a text of 1 to ${MAX_NAME_CHARS} characters, without control characters and halves of characters`); // prettier-ignore

  const { written, remarks } = inOurWords(raw, tell);
  const replaced = replace(written, "", 0);
  const server = SERVER.read(replaced, "", tell) ?? {};
  const target = problems.length === 0 ? targetOf(server, context, inherit, tell) : undefined;
  const isEnabled = (server.enabled ?? !isSwitchedOff(raw)) && server.disabled !== true;
  const definition = assemble(name, server, isEnabled, context);
  if (problems.length > 0 || target === undefined) {
    const more = problems.length > SHOWN_PROBLEMS ? `; and ${problems.length - SHOWN_PROBLEMS} more` : "";
    definition.problem = problems.slice(0, SHOWN_PROBLEMS).join("; ") + more;
  } else {
    const own = target.transport === "stdio" ? (server.env ?? {}) : target.headers;
    definition.target = target;
    definition.digest = digestOf(target, own, server.inheritEnv ?? true, definition.features);
    definition.secrets = secretsOf(target, own, taken);
    if (isJsonObject(replaced)) remarks.push(...remarksOnTimes(replaced["timeout"]));
  }
  return { definition, remarks };

  function replace(value: Json, at: string, depth: number): Json {
    if (typeof value === "string") {
      const made = interpolate(value, context);
      if ("problem" in made) {
        tell(`${at}:`, made.problem);
        return "?";
      }
      for (const each of made.taken) taken.push({ ...each, at });
      return made.text;
    }
    if (depth > MAX_DEPTH || typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((each, index) => replace(each, `${at}[${index}]`, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, replace(each, at === "" ? key : `${at}.${key}`, depth + 1)]),
    );
  }
}

/** Other programs' words become ours; what has no meaning here goes, with a remark. */
function inOurWords(raw: Json, tell: Tell): { written: Json; remarks: string[] } {
  if (!isJsonObject(raw)) return { written: raw, remarks: [] };
  const remarks: string[] = [];
  const entries = new Map<string, Json>();
  const filters: [string, Json][] = [];
  for (const [key, value] of Object.entries(raw)) {
    const word = Object.hasOwn(OTHER_WORDS, key) ? OTHER_WORDS[key] : undefined;
    const remark = word === undefined ? remarkOn(key) : undefined;
    if (remark !== undefined) remarks.push(...(remark === "" ? [] : [remark]));
    else if (word === "allow" || word === "deny") filters.push([word, value]);
    else if (word !== undefined && Object.hasOwn(raw, word)) {
      if (raw[word] !== value) tell(key, `and ${word} mean the same; remove one`);
    } else entries.set(word ?? key, value);
  }
  if (filters.length > 0) {
    const tools = entries.get("tools");
    const own = Array.isArray(tools) ? { allow: tools } : isJsonObject(tools) ? tools : {};
    entries.set("tools", { ...Object.fromEntries(filters), ...own });
  }
  return { written: Object.fromEntries(entries), remarks };
}

/** A server that is switched off stays so, whatever else is wrong with it. */
function isSwitchedOff(raw: Json): boolean {
  return isJsonObject(raw) && (raw["enabled"] === false || raw["disabled"] === true);
}

function assemble(name: string, server: WrittenServer, isEnabled: boolean, context: ReadContext): ServerDefinition {
  const { timeout, features = {} } = server;
  const tools = Array.isArray(server.tools) ? { allow: server.tools } : (server.tools ?? {});
  const each = typeof timeout === "object" ? timeout : {};
  const all = typeof timeout === "number" ? timeout : undefined;
  return {
    name,
    origin: context.origin,
    where: context.where(name),
    target: undefined,
    isEnabled,
    ...(server.description === undefined ? {} : { description: server.description }),
    features: {
      tools: features.tools ?? true,
      resources: features.resources ?? true,
      prompts: features.prompts ?? true,
    },
    timeouts: {
      connect: each.connect ?? all ?? context.connectTimeoutMs ?? CONNECT_MS,
      tools: each.tools ?? all ?? context.callTimeoutMs ?? CALL_MS,
      resources: each.resources ?? all ?? OTHERS_MS,
      prompts: each.prompts ?? all ?? OTHERS_MS,
    },
    tools: { allow: tools.allow ?? [], deny: tools.deny ?? [], rename: tools.rename ?? {} },
    prefix: server.prefix === false ? "" : typeof server.prefix === "string" ? server.prefix : name,
    expose: server.expose,
    isInteractive: server.interactive ?? false,
    idleStopMs: server.idleStop || 0,
    maxConcurrency: server.maxConcurrency ?? MAX_CONCURRENCY,
    digest: sha256(["unusable", name]),
    secrets: [],
  };
}

function targetOf(
  server: WrittenServer,
  context: ReadContext,
  inherit: Inherit,
  tell: Tell,
): UpstreamTarget | undefined {
  const { type, command, url } = server;
  const isEither = type === undefined || type === "remote";
  const isStdio = type === undefined ? command !== undefined : type === "stdio" || type === "local";
  if (command !== undefined && url !== undefined) return tell("", "has both a command and a url; remove one");
  if (isStdio) {
    if (command === undefined) return tell("command", "is missing: the program to start");
    const { platform = process.platform } = context;
    const own = server.env ?? {};
    const cwd = server.cwd === undefined ? undefined : resolve(context.folder, fromHome(server.cwd, context.homeDir));
    return {
      transport: "stdio",
      command: commandPath(command, context),
      args: server.args ?? [],
      env: joined(inherit(server.inheritEnv ?? true), own, platform),
      ...(cwd === undefined ? {} : { cwd }),
    };
  }
  if (url === undefined) return tell("", type === undefined ? "needs a command to start or a url to reach" : `of type ${type} needs a url`); // prettier-ignore
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return tell("url", "must be an http or https URL"); // prettier-ignore
  const headers = { ...server.headers };
  for (const [name, value] of Object.entries(headers)) {
    // RFC 9110, section 5.5
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) tell(`headers.${name}`, "has characters that a header cannot have, such as a line end"); // prettier-ignore
    headers[name] = value.trim();
  }
  return {
    transport: type === "sse" ? "sse" : isEither ? "auto" : "http",
    url: withoutUser(url, headers),
    headers,
  };
}

/** A path, where it is one; a bare name is looked for in PATH by whoever starts it. */
function commandPath(command: string, { folder, homeDir, platform = process.platform }: ReadContext): string {
  const path = fromHome(command, homeDir);
  const isPath = path.includes("/") || (platform === "win32" && path.includes("\\"));
  return isPath && !isAbsolute(path) ? resolve(folder, path) : path;
}

function fromHome(path: string, homeDir: string): string {
  return path === "~" ? homeDir : /^~[/\\]/.test(path) ? join(homeDir, path.slice(2)) : path;
}

/** `https://name:password@host` is the same as a header of Basic authentication, and does not show in messages so. */
function withoutUser(url: string, headers: Record<string, string>): string {
  const parsed = new URL(url);
  if (parsed.username === "" && parsed.password === "") return url;
  const pair = `${decoded(parsed.username)}:${decoded(parsed.password)}`;
  const hasOwn = Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
  if (!hasOwn) headers["Authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`;
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function digestOf(
  target: UpstreamTarget,
  own: Readonly<Record<string, string>>,
  inheritsEnv: boolean,
  features: ServerDefinition["features"],
): string {
  if (target.transport !== "stdio") return sha256([target.transport, target.url, sorted(target.headers), features]);
  return sha256(["stdio", target.command, target.args, target.cwd ?? null, sorted(own), inheritsEnv, features]);
}

const sorted = (map: Readonly<Record<string, string>>) => Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
const sha256 = (parts: readonly unknown[]) => hash("sha256", JSON.stringify(parts));
