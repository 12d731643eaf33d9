import type { Caller } from "../core/caller.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { ClientCan } from "../core/source.ts";
import { Lru } from "./lru.ts";

/** Extensions that need nothing from us but to be passed on; tasks would need a store of them. */
const TRANSPARENT_EXTENSIONS = ["io.modelcontextprotocol/ui"];

/** A client that declares more than this is taken at its bare words. */
const MAX_DECLARED_CHARS = 4_000;
const MAX_KEPT_CHARS = 400_000;

const NOTHING: ClientCan = Object.freeze({ elicitForm: false, elicitUrl: false, sampling: false, roots: false });

/** By what was declared, so that a thousand channels of one program share one. */
const KNOWN = new Lru<string, ClientCan>(MAX_KEPT_CHARS);
/** Requests of one client come one after the other. */
let latest = { key: "", can: NOTHING };

/**
 * What declared client capabilities allow us to ask for, and what of them other servers are told. Equal declarations
 * give the same object, as long as it is remembered.
 */
export function readCan(capabilities: Json | undefined): ClientCan {
  const declared = declaredOf(capabilities);
  if (!declared) return NOTHING;
  const key = JSON.stringify(declared);
  if (latest.key === key) return latest.can;
  let can = KNOWN.get(key);
  if (!can) {
    can = canOf(key.length > MAX_DECLARED_CHARS ? bareWords(declared) : declared);
    KNOWN.set(key, can, key.length);
  }
  if (key.length <= MAX_DECLARED_CHARS) latest = { key, can };
  return can;
}

/** The part of a client's capabilities that matters here; nothing when none of it was declared. */
function declaredOf(capabilities: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(capabilities)) return undefined;
  const { elicitation, sampling, roots, extensions } = capabilities;
  const declared: JsonObject = {};
  if (isJsonObject(elicitation)) declared["elicitation"] = elicitation;
  if (isJsonObject(sampling)) declared["sampling"] = sampling;
  if (isJsonObject(roots)) declared["roots"] = roots;
  const passed = isJsonObject(extensions) ? transparent(extensions) : undefined;
  if (passed) declared["extensions"] = passed;
  return Object.keys(declared).length > 0 ? declared : undefined;
}

function transparent(extensions: JsonObject): JsonObject | undefined {
  const passed = TRANSPARENT_EXTENSIONS.filter((id) => Object.hasOwn(extensions, id));
  return passed.length > 0 ? Object.fromEntries(passed.map((id) => [id, extensions[id] ?? null])) : undefined;
}

/** An empty `elicitation` means forms (SEP-1036). */
function canOf(declared: JsonObject): ClientCan {
  const { elicitation, sampling, roots } = declared;
  const elicitUrl = isJsonObject(elicitation) && isJsonObject(elicitation["url"]);
  const elicitForm = isJsonObject(elicitation) && (isJsonObject(elicitation["form"]) || !elicitUrl);
  return Object.freeze({
    elicitForm,
    elicitUrl,
    sampling: sampling !== undefined,
    roots: roots !== undefined,
    declared: Object.freeze(declared),
  });
}

function bareWords(declared: JsonObject): JsonObject {
  const { elicitation } = declared;
  const bare: JsonObject = {};
  if (isJsonObject(elicitation)) {
    const modes = ["form", "url"].filter((mode) => isJsonObject(elicitation[mode]));
    bare["elicitation"] = Object.fromEntries(modes.map((mode) => [mode, {}]));
  }
  for (const word of ["sampling", "roots"]) if (declared[word] !== undefined) bare[word] = {};
  return bare;
}

/** `clientInfo` as far as we use it; texts are cut so that nobody fills our log with them. */
export function readClient(info: Json | undefined): Caller["client"] {
  if (!isJsonObject(info) || typeof info["name"] !== "string") return undefined;
  const version = typeof info["version"] === "string" ? info["version"] : "";
  return { name: info["name"].slice(0, 200), version: version.slice(0, 100) };
}
