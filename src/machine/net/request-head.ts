import { DynamicMcpError } from "../../core/errors.ts";
import { namesSecret } from "../../core/redact.ts";

/** A name and its value; names in lower case. */
export type Header = readonly [name: string, value: string];

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
/** Tabs, what is visible in ASCII, and bytes above it. No line end, no NUL: those begin another header or request. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const MAX_HEADERS = 100;
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_SHOWN_CHARS = 100;

/** They say how the message is carried, for which host, or by which proxy: ours to say. */
const OURS = new Set(["host", "connection", "keep-alive", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect", "http2-settings"]); // prettier-ignore
/** They open a tunnel or echo the request with what we added. */
const REFUSED_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

/** @throws FETCH_REFUSED */
export function checkMethod(given: string | undefined): string {
  const method = (given ?? "GET").toUpperCase();
  if (TOKEN.test(method) && !REFUSED_METHODS.has(method)) return method;
  // As it was given: what the code knows to be a secret is searched for as the code knows it.
  throw refused(`the method${shownWhole(given ?? "")} is not allowed`, "method");
}

/** @throws FETCH_REFUSED for headers that are ours, malformed, too many or too long */
export function checkHeaders(given: readonly Header[]): Header[] {
  if (given.length > MAX_HEADERS) throw refused(`more than ${MAX_HEADERS} headers`, "header");
  let bytes = 0;
  return given.map(([name, value]) => {
    const header = name.toLowerCase();
    const shown = shownWhole(name);
    if (!TOKEN.test(name)) throw refused(`a header cannot have the name${shown}`, "header");
    if (OURS.has(header) || header.startsWith("proxy-")) throw refused(`the header${shown} cannot be set`, "header");
    if (!VALUE.test(value)) throw refused(`the value of the header${shown} has characters that headers cannot have`, "header"); // prettier-ignore
    bytes += name.length + value.length;
    if (bytes > MAX_HEADER_BYTES) throw refused(`the headers have more than ${MAX_HEADER_BYTES} bytes`, "header");
    return [header, value.trim()];
  });
}

/** What may go to another origin: nothing that lets somebody in. More than `fetch` drops: `x-api-key` and its like too. */
export function withoutCredentials(headers: readonly Header[]): Header[] {
  return headers.filter(([name]) => !namesSecret(name));
}

/** What describes a body that is not sent again. */
export function withoutBodyHeaders(headers: readonly Header[]): Header[] {
  return headers.filter(([name]) => !name.startsWith("content-"));
}

/**
 * A text of the code's in a message of ours, in whole or not at all: half of a secret could not be found and hidden. With
 * the space before it.
 */
export function shownWhole(text: string): string {
  return text.length > MAX_SHOWN_CHARS ? ` (${text.length} characters)` : ` ${JSON.stringify(text)}`;
}

/** @param reason for programs: `host`, `address`, `scheme` ... */
export function refused(message: string, reason: string, data: Record<string, unknown> = {}): DynamicMcpError {
  return new DynamicMcpError("FETCH_REFUSED", message, { data: { reason, ...data } });
}

export function failed(message: string, data: Record<string, unknown> = {}, cause?: unknown): DynamicMcpError {
  return new DynamicMcpError("FETCH_FAILED", message, { data, cause });
}
