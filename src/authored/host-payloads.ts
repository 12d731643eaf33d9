import { DynamicMcpError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { EgressRequest } from "../machine/net/egress.ts";

const MAX_URL_CHARS = 16_384;
const MAX_METHOD_CHARS = 100;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const REDIRECTS = ["follow", "error", "manual"] as const;

/**
 * The request of a `fetch` as it crosses from a sandbox. Whether it may be made is the way out's to say.
 *
 * @throws INVALID_ARGUMENTS when it has not the form that `HostCalls` tells
 */
export function readFetch(payload: JsonObject): EgressRequest {
  const body = own(payload, "body");
  const redirect = own(payload, "redirect");
  const method = own(payload, "method");
  return {
    url: textIn(payload, "url", MAX_URL_CHARS),
    headers: readHeaders(own(payload, "headers")),
    ...(method === undefined ? {} : { method: textIn(payload, "method", MAX_METHOD_CHARS) }),
    ...(body === undefined ? {} : { body: readBase64(body) }),
    ...(redirect === undefined ? {} : { redirect: readRedirect(redirect) }),
  };
}

function readHeaders(given: Json | undefined): [string, string][] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw malformed("headers must be a list of pairs");
  return given.map((pair) => {
    const [name, value] = Array.isArray(pair) && pair.length === 2 ? pair : [];
    if (typeof name === "string" && typeof value === "string") return [name, value];
    throw malformed("each header must be a pair of texts");
  });
}

function readBase64(body: Json): Uint8Array {
  if (typeof body === "string" && body.length % 4 === 0 && BASE64.test(body)) return Buffer.from(body, "base64");
  throw malformed("the body must be base64");
}

function readRedirect(given: Json): (typeof REDIRECTS)[number] {
  const known = REDIRECTS.find((each) => each === given);
  if (known) return known;
  throw malformed(`redirect must be one of ${REDIRECTS.join(", ")}`);
}

/** A member of its own; `__proto__` and its kin are data like others. */
export function own(payload: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(payload, key) ? payload[key] : undefined;
}

export function textIn(payload: JsonObject, key: string, maxChars: number): string {
  const value = own(payload, key);
  if (typeof value === "string" && value.length <= maxChars) return value;
  throw malformed(`${key} must be a text of at most ${maxChars} characters`);
}

export function malformed(message: string): DynamicMcpError {
  return new DynamicMcpError("INVALID_ARGUMENTS", message);
}
