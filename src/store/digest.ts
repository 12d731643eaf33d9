import { createHash } from "node:crypto";
import { DynamicMcpError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";

/**
 * One text for one value: keys sorted by code units, no white space. Two bodies that differ only in the order of their
 * keys have one digest, so it stays the same in a backend that does not keep that order.
 *
 * @see RFC 8785 (the same order and numbers; strings as `JSON.stringify` writes them)
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`);
  return `{${members.join(",")}}`;
}

/**
 * @returns sha-256 of the canonical form, 64 hex digits
 * @throws TOO_LARGE when the value is nested deeper than the stack allows (several thousand levels)
 */
export function digestOf(body: Json): string {
  try {
    return createHash("sha256").update(canonicalJson(body)).digest("hex");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DynamicMcpError("TOO_LARGE", "the value is nested too deeply to be stored", { cause: error });
  }
}
