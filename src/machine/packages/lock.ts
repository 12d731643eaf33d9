import { createHash } from "node:crypto";
import { DynamicMcpError } from "../../core/errors.ts";
import { strongest } from "./integrity.ts";
import type { LockedPackage, PackageLock } from "./packages.ts";

/** With the capital letters of old packages, which others may still depend on. */
const PACKAGE = String.raw`(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*`;
const NAME = new RegExp(`^${PACKAGE}$`, "i");
const PATH = new RegExp(`^node_modules/${PACKAGE}(?:/node_modules/${PACKAGE})*$`, "i");
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const MAX_PATH_CHARS = 2_000;
const MAX_NAME_CHARS = 214;
const MAX_VERSION_CHARS = 256;

/** Changes when the same lock would be unpacked in another way. */
const LAYOUT = "1";

/**
 * The name of the layer of a lock, which depends on all that decides what is in it, and on nothing else.
 *
 * @returns sha-256, hex
 */
export function layerKey({ packages }: PackageLock): string {
  const sorted = packages.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash("sha256").update(LAYOUT);
  for (const { path, name, version, integrity } of sorted)
    hash.update(JSON.stringify([path, name, version, integrity]));
  return hash.digest("hex");
}

/**
 * Locks come back from a store, or from a file that somebody made: nothing of them is taken on trust.
 *
 * @throws PACKAGE_NOT_ALLOWED; PACKAGE_TOO_LARGE for more than `maxPackages`
 */
export function checkLock({ packages }: PackageLock, maxPackages: number): void {
  if (packages.length > maxPackages) {
    const text = `the lock has ${packages.length} packages; at most ${maxPackages} are taken`;
    throw new DynamicMcpError("PACKAGE_TOO_LARGE", text, { data: { packages: packages.length, maxPackages } });
  }
  const paths = new Set<string>();
  for (const each of packages) {
    const problem = problemOf(each) ?? (paths.has(each.path.toLowerCase()) ? "its place is taken twice" : undefined);
    if (problem !== undefined) {
      const text = `the lock of these packages is damaged at ${JSON.stringify(each.path.slice(0, 100))}: ${problem}; make the tool again`;
      throw new DynamicMcpError("PACKAGE_NOT_ALLOWED", text);
    }
    paths.add(each.path.toLowerCase());
  }
}

function problemOf({ path, name, version, integrity }: LockedPackage): string | undefined {
  if (path.length > MAX_PATH_CHARS || !PATH.test(path)) return "that is not the place of a package";
  if (name.length > MAX_NAME_CHARS || !NAME.test(name)) return "its name is not one";
  if (version.length > MAX_VERSION_CHARS || !VERSION.test(version)) return "its version is not one";
  return strongest(integrity) ? undefined : "its checksum is not one";
}
