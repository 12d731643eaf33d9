import type { JsonObject } from "../core/json.ts";
import { LEGACY_VERSIONS, MODERN_VERSION, RPC } from "../core/protocol-words.ts";

export { LEGACY_VERSIONS, META, RPC } from "../core/protocol-words.ts";

/*
 * What a server needs to tell the eras of the Model Context Protocol apart, and to refuse in its words.
 * `legacy` is every revision up to 2025-11-25 (`initialize`, sessions), `modern` is 2026-07-28 (no state between
 * requests).
 */

export type Era = "legacy" | "modern";

export const MODERN_VERSIONS = [MODERN_VERSION] as const;
const BATCHING = new Set<string>(["2025-03-26", "2024-11-05"]);

export function isLegacyVersion(version: string): boolean {
  return (LEGACY_VERSIONS as readonly string[]).includes(version);
}

export function isModernVersion(version: string): boolean {
  return (MODERN_VERSIONS as readonly string[]).includes(version);
}

/** Dates compare as texts, so that a revision which is newer than this program is still told from an older one. */
export function namesModernEra(version: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= MODERN_VERSIONS[0];
}

/** JSON-RPC batches came with 2024-11-05 and left with 2025-06-18. */
export function allowsBatches(version: string): boolean {
  return BATCHING.has(version);
}

/** A fault of the client against the protocol itself, with the answer that the specification asks for. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly number: number;
  /** Over HTTP. */
  readonly status: number;
  readonly data: JsonObject | undefined;

  constructor(number: number, message: string, options: { status?: number; data?: JsonObject } = {}) {
    super(message);
    this.number = number;
    this.status = options.status ?? 200;
    this.data = options.data;
  }
}

export function invalidParams(message: string, data?: JsonObject): ProtocolError {
  return new ProtocolError(RPC.invalidParams, message, data ? { data } : {});
}

/** What is remembered for long should not be long. */
const MAX_URI_CHARS = 4_096;

/** @throws ProtocolError -32602 */
export function assertUriLength(uri: string): void {
  if (uri.length > MAX_URI_CHARS) throw invalidParams(`a URI to follow may have at most ${MAX_URI_CHARS} characters`);
}
