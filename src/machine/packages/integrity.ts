/** From weak to strong. */
const ALGORITHMS = ["sha1", "sha256", "sha384", "sha512"] as const;

export interface Expected {
  algorithm: (typeof ALGORITHMS)[number];
  /** Base64; any of them will do. */
  digests: string[];
}

/**
 * The strongest algorithm of a Subresource Integrity text, and its digests; weaker ones do not count.
 *
 * @see W3C Subresource Integrity, section 3.3.3, "Get the strongest metadata from set"
 * @returns undefined when there is none that we know
 */
export function strongest(integrity: string): Expected | undefined {
  const parts = integrity.split(/\s+/).flatMap((text) => {
    const [, algorithm, digest] = /^(sha\d+)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(text) ?? [];
    return algorithm !== undefined && digest !== undefined ? [{ algorithm, digest }] : [];
  });
  const algorithm = ALGORITHMS.findLast((each) => parts.some((part) => part.algorithm === each));
  if (algorithm === undefined) return undefined;
  return { algorithm, digests: parts.filter((part) => part.algorithm === algorithm).map(({ digest }) => digest) };
}
