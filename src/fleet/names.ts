import { createHash } from "node:crypto";
import { matchesPattern } from "../core/pattern.ts";
import type { ServerDefinition } from "./definition.ts";

const MAX_WIRE_CHARS = 64;
const HASH_CHARS = 8;

/** Names that nobody else has, each as every client takes it: `^[a-zA-Z0-9_-]{1,64}$`. */
export class WireNames {
  readonly #taken = new Set<string>();

  /**
   * @param wanted what it should be called, prefix included
   * @param seed   what it is, whatever else there is: makes a name that had to be changed the same after a restart
   */
  take(wanted: string, seed: string): string {
    const plain = wanted.replace(/[^a-zA-Z0-9_-]/g, "_");
    let name = plain.length > MAX_WIRE_CHARS ? withHash(plain, seed) : plain;
    for (let more = 0; this.#taken.has(name); more++) name = withHash(plain, more === 0 ? seed : `${seed}\n${more}`);
    this.#taken.add(name);
    return name;
  }
}

function withHash(name: string, seed: string): string {
  const hash = createHash("sha256").update(`${name}\n${seed}`).digest("hex").slice(0, HASH_CHARS);
  return `${name.slice(0, MAX_WIRE_CHARS - HASH_CHARS - 1)}_${hash}`;
}

/** Whether the definition lets a tool be listed and called. @param own the server's name for it */
export function isAllowed({ allow, deny }: ServerDefinition["tools"], own: string): boolean {
  if (deny.some((pattern) => matchesPattern(pattern, own))) return false;
  return allow.length === 0 || allow.some((pattern) => matchesPattern(pattern, own));
}

/**
 * Names within the server: its own, or those that the definition gives. One that would be there twice stays its own.
 *
 * @param keys own names
 * @returns in the order of `keys`
 */
export function namesInGroup({ rename }: ServerDefinition["tools"], keys: readonly string[]): readonly string[] {
  if (Object.keys(rename).length === 0) return keys;
  const taken = new Set(keys.filter((own) => !Object.hasOwn(rename, own)));
  return keys.map((own) => {
    const wanted = Object.hasOwn(rename, own) ? rename[own] : undefined;
    if (wanted === undefined || taken.has(wanted)) return own;
    taken.add(wanted);
    return wanted;
  });
}
