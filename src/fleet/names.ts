import { createHash } from "node:crypto";
import { matchesPattern } from "../core/pattern.ts";
import type { ServerDefinition } from "./definition.ts";

const MAX_WIRE_CHARS = 64;
const HASH_CHARS = 8;

/** Names that nobody else has, each as every client takes it: `^[a-zA-Z0-9_-]{1,64}$`. */
export class WireNames {
  /** Who has it: a seed. */
  readonly #taken = new Map<string, string>();

  /**
   * @param wanted what it should be called, prefix included
   * @param seed   what it is, whatever else there is: makes a name that had to be changed the same after a restart
   */
  take(wanted: string, seed: string): string {
    const plain = plainOf(wanted);
    let name = plain.length > MAX_WIRE_CHARS ? withHash(plain, seed) : plain;
    for (let more = 0; this.#taken.has(name); more++) name = withHash(plain, more === 0 ? seed : `${seed}\n${more}`);
    this.#taken.set(name, seed);
    return name;
  }

  /** @returns the seed of what has this name already */
  holderOf(wanted: string): string | undefined {
    return this.#taken.get(plainOf(wanted));
  }
}

const plainOf = (wanted: string) => wanted.replace(/[^a-zA-Z0-9_-]/g, "_");

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
 * Names within the server: its own, or those that the definition gives. Exact names come before patterns, and these in
 * the order in which they are written. One that would be there twice stays its own, whatever the order of the list.
 *
 * @param keys own names
 * @returns in the order of `keys`
 */
export function namesInGroup({ rename }: ServerDefinition["tools"], keys: readonly string[]): readonly string[] {
  if (Object.keys(rename).length === 0) return keys;
  const patterns = Object.entries(rename).filter(([own]) => own.includes("*"));
  const exact = keys.filter((own) => Object.hasOwn(rename, own)).toSorted();
  const others = keys.filter((own) => !Object.hasOwn(rename, own)).toSorted();
  const given = new Map<string, string>();
  for (const own of [...exact, ...others]) {
    const name = Object.hasOwn(rename, own) ? rename[own] : byPattern(patterns, own);
    if (name !== undefined) given.set(own, name);
  }
  // One that stays its own may be in the way of another.
  for (let before = -1; before !== given.size;) {
    before = given.size;
    const taken = new Set(keys.filter((own) => !given.has(own)));
    for (const [own, name] of given) {
      if (taken.has(name)) given.delete(own);
      else taken.add(name);
    }
  }
  return keys.map((own) => given.get(own) ?? own);
}

/** @param patterns with one `*` on each side: it stands for the same on both */
function byPattern(patterns: readonly (readonly [string, string])[], own: string): string | undefined {
  for (const [pattern, to] of patterns) {
    if (!matchesPattern(pattern, own)) continue;
    const at = pattern.indexOf("*");
    const middle = own.slice(at, own.length - (pattern.length - at - 1));
    const name = to.split("*").join(middle);
    return name === "" ? undefined : name;
  }
  return undefined;
}
