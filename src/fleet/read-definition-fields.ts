import { EXPOSURES } from "../core/exposure.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import { duration, either, type Fields, flag, isBareMs, listOf, mapOf, never, objectOf, oneOf, renamesOf, text, timeout, type ValuesOf, wholeNumber } from "./read-definition-kinds.ts"; // prettier-ignore

const TYPES = [
  "stdio",
  "http",
  "sse",
  "streamable-http",
  "streamableHttp",
  "streamable_http",
  "streaming",
  "local",
  "remote",
] as const;

const patterns = listOf(text);
const envMap = mapOf(/^[^=\0]{1,1000}$/, "a name that a variable can have");
const headerMap = mapOf(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/, "a name that a header can have");
const names = renamesOf(mapOf(/^[^\0]{1,1000}$/, "the name of a tool"));

/** The one table of what may be written about a server; read, explained and completed by editors from here. */
export const FIELDS = {
  type: { kind: oneOf(TYPES), about: "How to talk to it; told from `command` and `url` when absent: a `url` is tried as Streamable HTTP, then as HTTP+SSE." },
  command: { kind: text, about: "Program to start. `./server.js` starts from the folder of this file, `~/` from your home." },
  args: { kind: listOf(text0()), about: "Its arguments." },
  env: { kind: envMap, about: "Variables that it sees besides ours." },
  inheritEnv: { kind: flag, about: "Whether it sees our environment (without MCP_* and DYNAMIC_MCP_*); false: only PATH, HOME and the like. Default: true." },
  cwd: { kind: text, about: "Folder that it runs in; relative to the folder of this file. Default: ours." },
  url: { kind: text, about: "Address of a server that runs elsewhere, http or https." },
  headers: { kind: headerMap, about: "Headers of each request to it." },
  description: { kind: text, about: "What it is good for, for people and models. Default: its own instructions, or a summary of its tools." },
  enabled: { kind: flag, about: "false: it is listed and does nothing. Default: true." },
  disabled: { kind: flag, about: "The same, the other way round." },
  features: {
    kind: objectOf({
      tools: { kind: flag, about: "Default: true." },
      resources: { kind: flag, about: "Default: true." },
      prompts: { kind: flag, about: "Default: true." },
    }),
    about: "What of it is offered.",
  },
  timeout: {
    kind: either(timeout, objectOf({
      connect: { kind: timeout, about: "From its start to its lists." },
      tools: { kind: timeout, about: "Of a call." },
      resources: { kind: timeout, about: "Of reading a resource." },
      prompts: { kind: timeout, about: "Of getting a prompt." },
    })),
    about: "How long to wait: `30s`, `500ms`, `1min`, `1h`, a number of seconds, or of milliseconds from 10000 on, as other programs write it; one for all, or for each kind.",
  },
  tools: {
    kind: either(patterns, objectOf({
      allow: { kind: patterns, about: "Only these of its tools; `*` stands for any characters. Empty: all." },
      deny: { kind: patterns, about: "None of these; wins over `allow`." },
      rename: { kind: names, about: "Other names for its tools: own name to listed name; with one `*` in each, as in `\"browser_*\": \"b_*\"`, for all that are alike. Exact names come first." },
    })),
    about: "Which of its tools are offered, and how they are called; a list is the same as `allow`.",
  },
  prefix: { kind: either(flag, text0()), about: "What stands before the names of its tools and prompts, as `<prefix>__`. Default, and true: its name. false: nothing." },
  expose: { kind: oneOf(EXPOSURES), about: "How its tools are shown to clients, if not as the setting `tools.exposure` says." },
  interactive: { kind: flag, about: "A connection of its own for each client, so that its questions always reach the right one. Default: false." },
  idleStop: { kind: either(duration, never), about: "Disconnects, and ends its process, when nobody used it for this long; the next call starts it again. Default: false, never." },
  maxConcurrency: { kind: wholeNumber(1, 10_000), about: "Most requests to it at once; more wait. Default: 256." },
} satisfies Fields; // prettier-ignore

/** An argument may be empty. */
function text0(): typeof text {
  return {
    ...text,
    schema: { type: "string" },
    read: (value, at, tell) => (value === "" ? "" : text.read(value, at, tell)),
  };
}

export type WrittenServer = ValuesOf<typeof FIELDS>;

/** Other programs' words for the same. */
export const OTHER_WORDS: Readonly<Record<string, "type" | "url" | "allow" | "deny">> = {
  transport: "type",
  transportType: "type",
  httpUrl: "url",
  serverUrl: "url",
  includeTools: "allow",
  excludeTools: "deny",
  disabledTools: "deny",
};

const LOGIN = ["oauth", "oauth_client_id", "oauth_scopes", "auth"];
/** Of other programs, without a meaning here. */
export const FOREIGN: readonly string[] = ["$schema", "alwaysAllow", "author", "autoApprove", "category", "comment", "dev", "displayName", "fromGalleryId", "gallery", "homepage", "icon", "iconPath", "icons", "id", "license", "name", "note", "notes", "provider", "providerUrl", "sandbox", "sandboxEnabled", "source", "tags", "title", "trust", "version", "watchPaths"]; // prettier-ignore
const COMMENT = /^(_|\/\/|#)/;

/** @returns a word about a key that is let through without an effect; undefined for one that is not known at all */
export function remarkOn(key: string): string | undefined {
  if (LOGIN.includes(key))
    return `${key} is not used yet: log in by a header, such as "Authorization": "Bearer \${TOKEN}"`;
  if (key === "envFile") return "envFile is not read here: its variables belong into env, or into our own environment";
  if (FOREIGN.includes(key)) return `${key} is another program's and has no effect here`;
  return COMMENT.test(key) ? "" : undefined;
}

/** @returns a word about times that may be meant otherwise than they are taken */
export function remarksOnTimes(written: Json | undefined): string[] {
  const parts = isJsonObject(written) ? Object.entries(written) : [["", written] as const];
  return parts.flatMap(([key, time]) => {
    const name = key === "" ? "timeout" : `timeout.${key.slice(0, 60)}`;
    return isBareMs(time) ? [`${name} is taken as milliseconds: write "${String(time).trim()}ms" to say so`] : [];
  });
}

export const SERVER = objectOf(FIELDS, (key) => remarkOn(key) !== undefined);
