import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { RpcError } from "../../core/remote-error.ts";

/* The words of the Model Context Protocol that a client needs. Numbers of errors are the specification's. */

export const MODERN_VERSION = "2026-07-28";
/** What we ask for in the older era. */
export const NEWEST_LEGACY_VERSION = "2025-11-25";
const LEGACY_VERSIONS: readonly string[] = [NEWEST_LEGACY_VERSION, "2025-06-18", "2025-03-26", "2024-11-05"];

export function isLegacyVersion(version: unknown): version is string {
  return typeof version === "string" && LEGACY_VERSIONS.includes(version);
}

/** Keys of `_meta` in 2026-07-28. */
export const META = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  logLevel: "io.modelcontextprotocol/logLevel",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
} as const;

export const RPC = { methodNotFound: -32601, internalError: -32603, unsupportedVersion: -32022 } as const;

/** The versions that a refusal names as supported; undefined when it names none. */
export function supportedIn({ data }: RpcError): string[] | undefined {
  const supported = isJsonObject(data) ? data["supported"] : undefined;
  return Array.isArray(supported) ? supported.filter((version) => typeof version === "string") : undefined;
}

/** Whether this is the answer of a server of 2026-07-28 to `server/discover`. */
export function isDiscovery(result: JsonObject): boolean {
  const versions = result["supportedVersions"];
  return Array.isArray(versions) && versions.includes(MODERN_VERSION) && isJsonObject(result["capabilities"]);
}
