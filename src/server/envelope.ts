import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { ClientCan, LogLevel } from "../core/source.ts";
import type { Caller } from "../core/caller.ts";
import { readCan, readClient } from "./client-can.ts";
import { readLogLevel } from "./methods.ts";
import {
  isLegacyVersion,
  isModernVersion,
  LEGACY_VERSIONS,
  META,
  MODERN_VERSIONS,
  namesModernEra,
  ProtocolError,
  RPC,
  type Era,
} from "./protocol.ts";

/** What a request of 2026-07-28 says of its client. */
export interface Envelope {
  version: string;
  can: ClientCan;
  client: Caller["client"];
  logLevel: LogLevel | undefined;
}

/** A request belongs to 2026-07-28 when its `_meta` names a protocol version. */
export function hasEnvelope(params: JsonObject): boolean {
  const meta = params["_meta"];
  return isJsonObject(meta) && Object.hasOwn(meta, META.protocolVersion);
}

/**
 * @throws ProtocolError -32602 for a missing or malformed field, -32022 for a version that is not served here;
 * status 400
 */
export function readEnvelope(params: JsonObject): Envelope {
  const meta = params["_meta"];
  if (!isJsonObject(meta)) throw missing("_meta");
  const version = meta[META.protocolVersion];
  const capabilities = meta[META.clientCapabilities];
  const info = meta[META.clientInfo];
  if (version === undefined) throw missing(META.protocolVersion);
  if (typeof version !== "string") throw malformed(META.protocolVersion);
  if (capabilities === undefined) throw missing(META.clientCapabilities);
  if (!isJsonObject(capabilities)) throw malformed(META.clientCapabilities);
  const client = readClient(info);
  if (info !== undefined && !client) throw malformed(META.clientInfo);
  return { version, can: readCan(capabilities), client, logLevel: readLevel(meta[META.logLevel]) };
}

/** @throws ProtocolError -32022 with what is supported */
export function assertModernVersion(version: string): void {
  if (isModernVersion(version)) return;
  throw new ProtocolError(
    RPC.unsupportedVersion,
    `protocol version ${JSON.stringify(version.slice(0, 40))} is not served here`,
    {
      status: 400,
      data: { supported: [...MODERN_VERSIONS], requested: version },
    },
  );
}

/**
 * Which era a message without an envelope belongs to: the one that its `MCP-Protocol-Version` header names.
 *
 * @throws ProtocolError when the header names a version that is not served here
 */
export function eraOfHeader(version: string | undefined): Era {
  if (version === undefined || isLegacyVersion(version)) return "legacy";
  if (isModernVersion(version)) return "modern";
  if (namesModernEra(version)) assertModernVersion(version);
  throw new ProtocolError(
    RPC.invalidRequest,
    `protocol version ${JSON.stringify(version.slice(0, 40))} is not served here`,
    {
      status: 400,
      data: { supported: [...MODERN_VERSIONS, ...LEGACY_VERSIONS] },
    },
  );
}

function readLevel(level: Json | undefined): LogLevel | undefined {
  return level === undefined ? undefined : readLogLevel(level);
}

function missing(key: string): ProtocolError {
  return badRequest(`the request's ${key} is missing; 2026-07-28 needs it with every request`, key);
}

function malformed(key: string): ProtocolError {
  return badRequest(`${key} has not the shape that 2026-07-28 asks for`, key);
}

function badRequest(message: string, key: string): ProtocolError {
  return new ProtocolError(RPC.invalidParams, message, { status: 400, data: { key } });
}
