/**
 * Values nested deeper are refused on every engine: whatever goes through them later, recursion included, must have room.
 * Some engines' own `JSON` has no such limit.
 */
const MAX_NESTING = 1_000;

// Taken at the start: beside a guest in the same process these may be something else later. Fifty times as fast as that
// of plain byte arrays, and takes them.
const indexOf = Function.prototype.call.bind((Buffer as { prototype: Uint8Array }).prototype.indexOf) as (
  bytes: Uint8Array,
  byte: number,
  from: number,
) => number;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = [0x5b, 0x7b] as const;
const CLOSING = [0x5d, 0x7d] as const;

/** @param json text in UTF-8 */
export function isNestedTooDeeply(json: Uint8Array): boolean {
  // Most have few brackets at all, and finding so few takes no time.
  let seen = 0;
  for (const bracket of OPENING) {
    for (let at = indexOf(json, bracket, 0); at >= 0 && seen <= MAX_NESTING; at = indexOf(json, bracket, at + 1))
      seen++;
  }
  return seen > MAX_NESTING && deepestOf(json) > MAX_NESTING;
}

function deepestOf(json: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let isInText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (isInText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isInText = false;
    } else if (byte === QUOTE) isInText = true;
    else if (byte === OPENING[0] || byte === OPENING[1]) {
      if (++depth > deepest) deepest = depth;
    } else if (byte === CLOSING[0] || byte === CLOSING[1]) depth--;
  }
  return deepest;
}

/** What a guest is told instead of making such a call. */
export const TOO_DEEP_CALL = "the arguments are nested too deeply";
