import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { ClientCan } from "../core/source.ts";

/** What servers are told while nobody in particular is behind the connection: all that we can relay. */
export const FULL_CAPABILITIES: JsonObject = {
  elicitation: { form: {}, url: {} },
  sampling: {},
  roots: { listChanged: true },
  extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } },
};

/**
 * What a server of the older era is told that its client can be asked: what this client declared and we relay. Equal
 * clients give equal texts, so that they can share a connection.
 */
export function capabilitiesFor(can: ClientCan): JsonObject {
  const known = MADE.get(can);
  if (known) return known;
  const capabilities = make(can);
  MADE.set(can, capabilities);
  return capabilities;
}

/** Clients that declare the same share one `can`, and every call of theirs asks. */
const MADE = new WeakMap<ClientCan, JsonObject>();

function make(can: ClientCan): JsonObject {
  const { declared = {} } = can;
  const capabilities: JsonObject = {};
  if (can.elicitForm || can.elicitUrl) {
    capabilities["elicitation"] = { ...(can.elicitForm ? { form: {} } : {}), ...(can.elicitUrl ? { url: {} } : {}) };
  }
  if (can.roots)
    capabilities["roots"] = objectOf(declared["roots"])["listChanged"] === true ? { listChanged: true } : {};
  if (can.sampling) capabilities["sampling"] = objectOf(declared["sampling"]);
  const extensions = objectOf(declared["extensions"]);
  if (Object.keys(extensions).length > 0) capabilities["extensions"] = extensions;
  return capabilities;
}

/** Whether a client that declares this can be asked anything. */
export function isAskable(capabilities: JsonObject): boolean {
  return ["elicitation", "sampling", "roots"].some((name) => Object.hasOwn(capabilities, name));
}

/** Whether a server that was told `a` was told at least of everything that is in `b`. */
export function includes(a: JsonObject, b: JsonObject): boolean {
  return Object.entries(b).every(([key, value]) => {
    const own = a[key];
    if (own === undefined) return false;
    return !isJsonObject(value) || (isJsonObject(own) && includes(own, value));
  });
}

const objectOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});
