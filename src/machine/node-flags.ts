/** @param version as in `process.versions.node`. @returns undefined for a Node that cannot hold a program in */
export function permissionFlag(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (!(major >= 20)) return undefined;
  const isStable = major > 23 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13);
  return isStable ? "--permission" : "--experimental-permission";
}

/** Of the Node that we run on, which is never one without. */
export const OWN_PERMISSION_FLAG = permissionFlag(process.versions.node) ?? "--permission";

const SEMI_SPACE_SHARE = 32;
const MAX_SEMI_SPACE_MIB = 16;

/**
 * For `--max-semi-space-size`: V8's young generation has three parts of this size, and its default would be most of a
 * small limit.
 *
 * @param memoryMiB for `--max-old-space-size`
 */
export function maxSemiSpaceMiB(memoryMiB: number): number {
  return Math.min(MAX_SEMI_SPACE_MIB, Math.max(1, Math.floor(memoryMiB / SEMI_SPACE_SHARE)));
}
