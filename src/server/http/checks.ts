import type { HeaderParam } from "../../core/header-params.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { isLoopback } from "../../core/loopback.ts";
import { ProtocolError, RPC } from "../protocol.ts";

/** Hosts and origins that may reach us; what was let in once is not taken apart again. */
export interface Gate {
  /** @returns why a request with these headers is refused */
  refusal(host: string | undefined, origin: string | undefined): string | undefined;
}

const MAX_KNOWN = 100;
/** A name or address and perhaps a port: neither user nor path (RFC 9110, 7.2). */
const HOST = /^(?:\[[0-9a-f:.]+\]|[^\s@/\\?#:[\]]+)(?::\d*)?$/i;

/**
 * Keeps web pages out: one that a browser has loaded from elsewhere can send requests to a server on this machine,
 * even under a name of its own (DNS rebinding), but cannot choose its Host and Origin headers.
 *
 * @param host           where we listen
 * @param allowedHosts   names without port; empty: loopback names on a loopback address, else any
 * @param allowedOrigins whole origins, `scheme://name[:port]`
 */
export function createGate(host: string, allowedHosts: readonly string[], allowedOrigins: readonly string[]): Gate {
  const isLocal = isLoopback(host);
  const hosts = new Set(allowedHosts.map((each) => each.toLowerCase()));
  const origins = new Set(allowedOrigins.map((each) => each.toLowerCase().replace(/\/$/, "")));
  const known = new Set<string>();

  const takesHost = (name: string) =>
    hosts.has(name) || hosts.has(unbracketed(name)) || (isLocal ? isLoopback(name) : hosts.size === 0);

  function judge(host: string | undefined, origin: string | undefined): string | undefined {
    const name = host !== undefined && HOST.test(host) ? nameOf(`http://${host}`) : undefined;
    if (name === undefined || !takesHost(name)) return "this Host is not served here";
    if (origin === undefined) return undefined;
    const from = nameOf(origin);
    const isOurs = isLocal && from !== undefined && isLoopback(from) && /^https?:/i.test(origin);
    return isOurs || origins.has(origin.toLowerCase()) ? undefined : "this Origin may not call here";
  }

  return {
    refusal(host, origin) {
      const key = `${host}\n${origin}`;
      if (known.has(key)) return undefined;
      const refusal = judge(host, origin);
      if (refusal === undefined && known.size < MAX_KNOWN) known.add(key);
      return refusal;
    },
  };
}

function nameOf(origin: string): string | undefined {
  try {
    return new URL(origin).hostname || undefined;
  } catch {
    return undefined;
  }
}

function unbracketed(name: string): string {
  return name.replace(/^\[|\]$/g, "");
}

export interface Accepted {
  json: boolean;
  sse: boolean;
}

const ACCEPTED = new Map<string, Accepted>();

/** What an Accept header takes; none at all takes everything. Quality values do not matter to us. */
export function readAccept(header: string | undefined): Accepted {
  const text = header ?? "*/*";
  let accepted = ACCEPTED.get(text);
  if (!accepted) {
    const types = text
      .toLowerCase()
      .split(",")
      .map((part) => part.split(";")[0]?.trim());
    const any = types.includes("*/*");
    accepted = {
      json: any || types.includes("application/json") || types.includes("application/*"),
      sse: any || types.includes("text/event-stream") || types.includes("text/*"),
    };
    if (ACCEPTED.size < MAX_KNOWN) ACCEPTED.set(text, accepted);
  }
  return accepted;
}

/** Where `Mcp-Name` has to repeat something of the body (SEP-2243). */
const NAME_OF: Record<string, string> = { "tools/call": "name", "prompts/get": "name", "resources/read": "uri" };

export type HeaderOf = (name: string) => string | undefined;

/**
 * Headers of 2026-07-28 repeat parts of the body for those on the way who do not read bodies; both must agree.
 *
 * @throws ProtocolError -32020
 */
export function checkHeaders(header: HeaderOf, method: string, params: JsonObject): void {
  const named = header("mcp-method");
  if (named === undefined) throw mismatch("the Mcp-Method header is missing");
  if (named !== method)
    throw mismatch(`the Mcp-Method header names ${JSON.stringify(named)}, the body ${JSON.stringify(method)}`);
  const field = Object.hasOwn(NAME_OF, method) ? NAME_OF[method] : undefined;
  const value = field === undefined ? undefined : params[field];
  if (typeof value !== "string") return;
  const given = header("mcp-name");
  if (given === undefined) throw mismatch(`the Mcp-Name header is missing; the body has ${field}`);
  const name = decodeHeader(given.trim());
  if (name === undefined) throw mismatch("the Mcp-Name header is not valid base64 of UTF-8");
  if (name !== value) throw mismatch(`the Mcp-Name header and ${field} of the body differ`);
}

/**
 * Arguments that a tool wants repeated as `Mcp-Param-*` headers.
 *
 * @throws ProtocolError -32020 when one is missing, not valid, or says something else than the body
 */
export function checkParamHeaders(header: HeaderOf, wanted: readonly HeaderParam[], args: Json | undefined): void {
  for (const { path, header: name, isNumber } of wanted) {
    const value = valueAt(args, path);
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") continue;
    const given = header(`mcp-param-${name}`);
    if (given === undefined) throw mismatch(`the Mcp-Param-${name} header is missing; the body has ${path.join(".")}`);
    const decoded = decodeHeader(given.trim());
    if (decoded === undefined) throw mismatch(`the Mcp-Param-${name} header is not valid base64 of UTF-8`);
    const isSame = isNumber && /^-?\d+(\.\d+)?$/.test(decoded) ? Number(decoded) === value : decoded === String(value);
    if (!isSame) throw mismatch(`the Mcp-Param-${name} header and ${path.join(".")} of the body differ`);
  }
}

const SENTINEL = /^=\?base64\?(.*)\?=$/s;
const CANONICAL_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** @returns undefined for a base64 sentinel whose content is not canonical base64 of UTF-8 */
export function decodeHeader(value: string): string | undefined {
  const encoded = SENTINEL.exec(value)?.[1];
  if (encoded === undefined) return value;
  if (!CANONICAL_BASE64.test(encoded)) return undefined;
  try {
    return UTF8.decode(Buffer.from(encoded, "base64"));
  } catch {
    return undefined;
  }
}

function valueAt(root: Json | undefined, path: readonly string[]): Json | undefined {
  let node = root;
  for (const key of path) {
    if (!isJsonObject(node) || !Object.hasOwn(node, key)) return undefined;
    node = node[key];
  }
  return node;
}

function mismatch(message: string): ProtocolError {
  return new ProtocolError(RPC.headerMismatch, message, { status: 400 });
}
