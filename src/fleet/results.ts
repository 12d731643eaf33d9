import type { AnyResult } from "../core/item.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, isTooDeep, LEAST_DEEP_CHARS, type Json, type JsonObject } from "../core/json.ts";
import { keepRawText, rawTextOf } from "../core/raw-text.ts";
import { hideInJsonText, type Hide } from "../core/redact.ts";
import { RemoteError, type RpcError } from "../core/remote-error.ts";
import { META } from "../core/protocol-words.ts";
import { invalid } from "./errors.ts";

/** What every answer of 2026-07-28 is stamped with by whoever gives it: ours are. */
const STAMPED: readonly string[] = [META.serverInfo];
/** What such a resource says of how long it may be kept: what we say counts for our clients. */
const HINTS = ["ttlMs", "cacheScope"];
const COMPLETE = '"resultType":"complete"';

/**
 * A server's result as it goes on: as it came, without what the protocol wants each server to say for itself.
 *
 * @throws UPSTREAM_INVALID for a result that we did not ask for (a task, or a kind that this version does not know), or
 *   that could not be written again
 */
export function passedOn(result: JsonObject, server: string): AnyResult {
  const type = result["resultType"];
  if (type !== undefined && type !== "complete") {
    const shown = typeof type === "string" ? JSON.stringify(type.slice(0, 40)) : "none";
    throw invalid(server, `answered with a result of type ${shown}, which was not asked for`);
  }
  const came = rawTextOf(result);
  if ((came === undefined || came.length >= LEAST_DEEP_CHARS) && isTooDeep(result)) {
    throw invalid(server, "answered with what is nested too deep to be passed on");
  }
  const meta = result["_meta"];
  const isStamped = isJsonObject(meta) && STAMPED.some((key) => Object.hasOwn(meta, key));
  if (type === undefined && !isStamped) return result as unknown as AnyResult;
  const { resultType: _type, _meta, ...rest } = result;
  const isHinted = type !== undefined && "contents" in rest && HINTS.some((key) => Object.hasOwn(rest, key));
  if (isHinted) for (const key of HINTS) delete rest[key];
  const own = isJsonObject(meta) ? Object.entries(meta).filter(([key]) => !STAMPED.includes(key)) : [];
  const bare = own.length > 0 ? { ...rest, _meta: Object.fromEntries(own) } : rest;
  const text = isStamped || isHinted ? undefined : withoutType(came);
  if (text !== undefined) keepRawText(bare, text);
  return bare as unknown as AnyResult;
}

/** Where it is the first or last member, as servers write it, it is cut out of the text, which so stays usable. */
function withoutType(text: string | undefined): string | undefined {
  if (text?.startsWith(`{${COMPLETE},`)) return `{${text.slice(COMPLETE.length + 2)}`;
  if (text?.endsWith(`,${COMPLETE}}`)) return `${text.slice(0, -COMPLETE.length - 2)}}`;
  return undefined;
}

/** Takes values that nobody may see out of a result. @returns the same object when it holds none */
export function hideInResult(result: AnyResult, hide: Hide): AnyResult {
  const text = rawTextOf(result) ?? JSON.stringify(result);
  const shown = hideInJsonText(text, hide);
  return shown === text ? result : (JSON.parse(shown) as AnyResult);
}

/** The same for what a server says or asks meanwhile. */
export function hideInJson<T extends Json>(value: T, hide: Hide): T {
  const text = JSON.stringify(value);
  const shown = hideInJsonText(text, hide);
  return shown === text ? value : (JSON.parse(shown) as T);
}

/** The same for what was thrown on the way to a server. */
export function hideInError(error: unknown, hide: Hide, server: string): unknown {
  if (error instanceof RemoteError) {
    const text = JSON.stringify(error.rpc);
    const shown = hideInJsonText(text, hide);
    return shown === text ? error : new RemoteError(server, JSON.parse(shown) as RpcError);
  }
  if (!(error instanceof DynamicMcpError)) return error;
  const message = hide(error.message);
  return message === error.message ? error : new DynamicMcpError(error.code, message, { data: error.data });
}
