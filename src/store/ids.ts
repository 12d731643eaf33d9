import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/**
 * Makes ids of 26 characters: 48 bits of time in ms, then 80 random bits, in Crockford's base 32. Their alphabetical
 * order is the order in which they were made, also within one millisecond and when the clock goes back.
 *
 * @see github.com/ulid/spec
 */
export function createIds(now: () => number = Date.now): () => string {
  let last = 0n;
  return () => {
    const fresh = (BigInt(Math.trunc(now())) << 80n) | BigInt(`0x${randomBytes(10).toString("hex")}`);
    last = fresh > last ? fresh : last + 1n;
    let id = "";
    for (let rest = last; id.length < 26; rest >>= 5n) id = `${ALPHABET[Number(rest & 31n)]}${id}`;
    return id;
  };
}

export function isId(text: string): boolean {
  return ID.test(text);
}
