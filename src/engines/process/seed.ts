/** Everything that looks random to a guest comes from its job's seed, so that a replay sees it again. */

/** Four 32-bit words for the guest's `Math.random`: FNV-1a over the seed's UTF-16 code units, with four starts. */
export function seedWords(seed: string): number[] {
  return [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b].map((start) => {
    let hash = start;
    for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
    return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  });
}

/**
 * Unpredictable to who does not know the seed: HMAC-SHA-256 in counter mode.
 * @returns a function that gives the next `count` bytes as hex
 */
export function seedStream(seed: string): (count: number) => string {
  let counter = 0;
  return (count) => {
    // Loaded when first used: few jobs need it, and every child would pay for it at its start.
    const { createHmac } = process.getBuiltinModule("node:crypto");
    let hex = "";
    while (hex.length < count * 2) hex += createHmac("sha256", seed).update(String(counter++)).digest("hex");
    return hex.slice(0, count * 2);
  };
}
