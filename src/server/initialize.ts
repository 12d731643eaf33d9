import type { Caller } from "../core/caller.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { CAPABILITIES } from "./methods.ts";
import { invalidParams, isLegacyVersion, LEGACY_VERSIONS } from "./protocol.ts";
import type { Implementation } from "./results.ts";

/** @throws ProtocolError -32602 when what makes an `initialize` is missing */
export function readInitialize(params: JsonObject): { version: string } {
  const { protocolVersion, capabilities } = params;
  if (typeof protocolVersion !== "string") throw invalidParams("`protocolVersion` must be a text");
  if (capabilities !== undefined && !isJsonObject(capabilities))
    throw invalidParams("`capabilities` must be an object");
  return { version: isLegacyVersion(protocolVersion) ? protocolVersion : LEGACY_VERSIONS[0] };
}

export function initializeResult(
  version: string,
  serverInfo: Implementation,
  instructions: string | undefined,
): object {
  return {
    protocolVersion: version,
    capabilities: CAPABILITIES,
    serverInfo,
    ...(instructions ? { instructions } : {}),
  };
}

export type Instructions = ((caller: Caller) => string | undefined) | undefined;
