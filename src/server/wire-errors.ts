import { randomBytes } from "node:crypto";
import { DynamicMcpError, type ErrorCode } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { RemoteError } from "../core/remote-error.ts";
import type { Logger } from "../core/source.ts";
import type { RpcError } from "./json-rpc.ts";
import { ProtocolError, RPC, type Era } from "./protocol.ts";

/** Where the protocol has a number of its own for a refusal of ours. The rest goes by whose fault it is. */
const NUMBERS: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENTS: RPC.invalidParams,
  INVALID_CURSOR: RPC.invalidParams,
  TOOL_NOT_FOUND: RPC.invalidParams,
  PROMPT_NOT_FOUND: RPC.invalidParams,
  RESOURCE_NOT_FOUND: RPC.invalidParams,
};

/** Refusals that are about the connection rather than the request in it, and so have a status of their own. */
const STATUSES: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  CHANNEL_NOT_FOUND: 404,
  TOO_MANY_CHANNELS: 503,
  SHUTTING_DOWN: 503,
};

/**
 * The one place where what we throw becomes what a client sees.
 *
 * A refusal keeps its code and facts in `data`. Anything else is a bug of ours: the client gets an incident id, the
 * cause goes to the log under it.
 *
 * @returns the error and the HTTP status it travels with; most errors are answers and travel with 200
 */
export function toWire(error: unknown, era: Era, log: Logger): { error: RpcError; status: number } {
  if (error instanceof ProtocolError) {
    const { number: code, message, data, status } = error;
    return { error: data ? { code, message, data } : { code, message }, status };
  }
  if (error instanceof RemoteError) return relayed(error.rpc, era);
  if (error instanceof DynamicMcpError) return refusal(error, era);
  const incidentId = randomBytes(8).toString("hex");
  log.error({ incidentId, err: error }, "a request ended with a fault of ours");
  const message = `internal error; the server's log has it under incident ${incidentId}`;
  return { error: { code: RPC.internalError, message, data: { code: "INTERNAL", incidentId } }, status: 200 };
}

/** What 2026-07-28 does not have any more, or what would speak of our connection as if it were the client's. */
const NOT_MODERN = new Map<number, number>([
  [RPC.resourceNotFound, RPC.invalidParams],
  [RPC.urlElicitationRequired, RPC.invalidRequest],
  [RPC.headerMismatch, RPC.internalError],
  [RPC.unsupportedVersion, RPC.internalError],
]);

/** Another server's own error goes on as it came, as far as the client's era has its number. */
function relayed({ code, message, data }: RpcError, era: Era): { error: RpcError; status: number } {
  const number = era === "modern" ? (NOT_MODERN.get(code) ?? code) : code;
  const error = data === undefined ? { code: number, message } : { code: number, message, data };
  return { error, status: era === "modern" && number === RPC.missingCapability ? 400 : 200 };
}

function refusal(error: DynamicMcpError, era: Era): { error: RpcError; status: number } {
  const data: JsonObject = { ...(plain(error.data) as JsonObject), code: error.code };
  const { message } = error;
  if (error.code === "CAPABILITY_MISSING" && era === "modern") {
    return { error: { code: RPC.missingCapability, message, data }, status: 400 };
  }
  if (error.code === "RESOURCE_NOT_FOUND" && era === "legacy") {
    return { error: { code: RPC.resourceNotFound, message, data }, status: 200 };
  }
  const byFault = error.spec.fault === "caller" ? RPC.invalidRequest : RPC.internalError;
  return { error: { code: NUMBERS[error.code] ?? byFault, message, data }, status: STATUSES[error.code] ?? 200 };
}

/** Facts as JSON; what JSON cannot hold is left out. */
function plain(data: Readonly<Record<string, unknown>>): Json {
  try {
    return JSON.parse(JSON.stringify(data)) as Json;
  } catch {
    return {};
  }
}
