import { isJsonObject, isTooDeep, type JsonObject } from "../core/json.ts";
import type { Ask } from "../core/source.ts";
import { invalid } from "./errors.ts";
import { MAX_REQUEST_STATE_CHARS } from "./state.ts";

const METHODS: ReadonlySet<unknown> = new Set(["elicitation/create", "sampling/createMessage", "roots/list"]);
const MAX_REQUESTS = 64;

/**
 * What a server of 2026-07-28 wants to know before it goes on.
 *
 * @throws UPSTREAM_INVALID
 * @see Model Context Protocol 2026-07-28, basic/utilities/mrtr
 */
export function readInputRequests(
  { inputRequests = {}, requestState }: JsonObject,
  server: string,
): { asks: Record<string, Ask>; requestState: string | undefined } {
  if (!isJsonObject(inputRequests)) throw invalid(server, "asked for input without saying what");
  if (isTooDeep(inputRequests)) throw invalid(server, "asked for input with what is nested too deep to be passed on");
  const entries = Object.entries(inputRequests);
  if (entries.length > MAX_REQUESTS) throw invalid(server, `asked ${entries.length} questions at once`);
  for (const [, request] of entries) {
    if (!isJsonObject(request) || !METHODS.has(request["method"])) {
      throw invalid(server, "asked for input in a way that the protocol does not have");
    }
  }
  if (
    requestState !== undefined &&
    (typeof requestState !== "string" || requestState.length > MAX_REQUEST_STATE_CHARS)
  ) {
    throw invalid(server, `sent a requestState that is no text of at most ${MAX_REQUEST_STATE_CHARS} characters`);
  }
  const asks = entries.map(([key, request]) => {
    const { method, params } = request as JsonObject;
    return [key, { method, params: isJsonObject(params) ? params : {} }];
  });
  return { asks: Object.fromEntries(asks) as Record<string, Ask>, requestState };
}
