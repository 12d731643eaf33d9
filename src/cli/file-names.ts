import { wireName } from "../core/names.ts";

/** Devices on Windows, whatever follows the first dot. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * How the files of tools are called, without their endings: the name on the wire. Some get `+` and a number in base 16:
 * those that Windows keeps for devices (`con+0`), and those that differ from another in capitals only, which are one
 * name on macOS and Windows (`text_upper`, `text_Upper+20`). The bits of the number are the capitals, from the first
 * letter on, so no two are the same; and no tool's own name has a plus.
 *
 * @param all names of all tools, so that one tool has one name of files, whichever are written
 */
export function fileBases(all: readonly string[]): (name: string) => string {
  const seen = new Map<string, Set<string>>();
  for (const name of all.map(wireName)) {
    const folded = name.toLowerCase();
    seen.set(folded, (seen.get(folded) ?? new Set()).add(name));
  }
  return (name) => {
    const base = wireName(name);
    const capitals = capitalsOf(base);
    const isOneOfSeveral = (seen.get(base.toLowerCase())?.size ?? 0) > 1;
    return RESERVED.test(base) || (isOneOfSeveral && capitals > 0n) ? `${base}+${capitals.toString(16)}` : base;
  };
}

function capitalsOf(name: string): bigint {
  return Array.from(name).reduce((bits, letter, at) => (/[A-Z]/.test(letter) ? bits | (1n << BigInt(at)) : bits), 0n);
}
