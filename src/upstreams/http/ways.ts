import { DynamicMcpError, hasCode } from "../../core/errors.ts";
import { RemoteError } from "../../core/remote-error.ts";
import type { Era, Verdict } from "../upstream.ts";

/** One way to speak to a server over HTTP. */
export type Way = { era: Era; transport: "http" } | { era: "legacy"; transport: "sse" };

const MODERN: Way = { era: "modern", transport: "http" };
const LEGACY: Way = { era: "legacy", transport: "http" };
const SSE: Way = { era: "legacy", transport: "sse" };

/**
 * The ways to try, in this order, as long as `mayTryNext` says so. What was found the last time comes first; should it be
 * wrong, all others follow.
 */
export function waysFor(transport: "http" | "sse" | "auto", known: Verdict | undefined): readonly Way[] {
  if (transport === "sse") return [SSE];
  const all = transport === "auto" ? [MODERN, LEGACY, SSE] : [MODERN, LEGACY];
  const first = all.find((way) => way.era === known?.era && way.transport === known.transport);
  return first ? [first, ...all.filter((way) => way !== first)] : all;
}

/** What a server of HTTP+SSE answers to a POST where its stream is. */
export const OLDER_STATUSES: ReadonlySet<number> = new Set([400, 404, 405]);

/** How an attempt failed. */
export interface Failure {
  way: Way;
  error: unknown;
  /** Of the last answer; 0 when there was none. */
  status: number;
}

/**
 * Whether a failure means that the server does not speak this way, rather than that it is down or refuses us.
 *
 * @see MCP 2026-07-28, basic/transports, "Backward Compatibility"
 */
export function mayTryNext({ way, error, status }: Failure, isFirst: boolean): boolean {
  if (hasCode(error, "UPSTREAM_LOGIN", "CANCELLED", "SHUTTING_DOWN", "FORBIDDEN", "PARENT_ENDED")) return false;
  // A server of the older era may wait for ever for what it knows to come.
  if (hasCode(error, "TIMEOUT")) return way.era === "modern";
  if (status === 0 || [429, 502, 503, 504].includes(status)) return false;
  // A refusal that names versions is one of 2026-07-28 or later, which speaks no older way.
  if (way.era === "modern") return !(error instanceof DynamicMcpError && error.cause instanceof RemoteError);
  // Known from the last time, and no longer so: it may have become any other.
  if (isFirst) return true;
  return way.transport === "http" && OLDER_STATUSES.has(status);
}
