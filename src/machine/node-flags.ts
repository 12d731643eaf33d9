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

/**
 * What Node's permissions leave open to a guest: V8's flags, some of which write files wherever they are told to, and
 * `node:sqlite`, which opens files that the permissions do not allow.
 *
 * @param version as in `process.versions.node`
 */
export function guardFlags(version: string): string[] {
  return ["--freeze-flags-after-init", ...withoutSqlite(version), ...quietFlags(version)];
}

/**
 * No signal opens the debugger. Where Node does not know that, the program has to take the signal itself.
 *
 * @param version as in `process.versions.node`
 */
export function quietFlags(version: string): string[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isKnown = major > 23 || (major === 23 && minor >= 7) || (major === 22 && minor >= 14);
  return isKnown ? ["--disable-sigusr1"] : [];
}

/** `node:sqlite` opens files that the permissions do not allow. Node has it since 22.5. */
function withoutSqlite(version: string): string[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 5) ? ["--no-experimental-sqlite"] : [];
}
