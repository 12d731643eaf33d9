import { ask } from "./bridge.ts";
import { OP } from "./ops.ts";

/**
 * Randomness that a replay sees again: `Math.random` from a small generator seeded per job, `crypto` from a keyed stream
 * in the child process.
 */

const MAX_BYTES = 65_536;

/** sfc32, by Chris Doty-Humphrey (PractRand): 128 bits of state, passes BigCrush. */
export function seededRandom(seed: readonly number[]): () => number {
  let [a = 0, b = 0, c = 0, d = 1] = seed;
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
}

function randomHex(bytes: number): string {
  return ask(OP.random, bytes) as string;
}

type IntegerArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Uint8ClampedArray;

export const crypto = {
  randomUUID(): string {
    const hex = randomHex(16);
    const variant = "89ab".charAt(parseInt(hex.charAt(16), 16) & 3);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  },
  getRandomValues<T extends IntegerArray>(array: T): T {
    if (!ArrayBuffer.isView(array)) throw new TypeError("getRandomValues takes a typed array of integers");
    if (array.byteLength > MAX_BYTES) throw new RangeError(`getRandomValues gives at most ${MAX_BYTES} bytes at once`);
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const hex = randomHex(bytes.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
    return array;
  },
};
