import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { LEGACY_VERSIONS, MODERN_VERSION } from "../../core/protocol-words.ts";
import type { RpcError } from "../../core/remote-error.ts";

export { META, MODERN_VERSION, RPC } from "../../core/protocol-words.ts";

/** What we ask for in the older era. */
export const NEWEST_LEGACY_VERSION = LEGACY_VERSIONS[0];

export function isLegacyVersion(version: unknown): version is string {
  return (LEGACY_VERSIONS as readonly unknown[]).includes(version);
}

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
