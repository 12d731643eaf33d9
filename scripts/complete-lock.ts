/**
 * Adds to package-lock.json the optional packages for other platforms that npm left out because the registry it
 * asked did not have them. Without them `npm ci` calls the lock file incomplete, on every platform.
 *
 * What is added has no integrity, as we never saw it; npm fills that in where it meets the package.
 *
 *   node scripts/complete-lock.ts           completes the file
 *   node scripts/complete-lock.ts --check   only tells; exit code 1 when something is missing
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface LockedPackage {
  version?: string;
  resolved?: string;
  cpu?: string[];
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}
interface LockFile {
  packages: Record<string, LockedPackage>;
}

const LIBC: Record<string, string> = { gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" };

/** @returns entries to add, by their path in the lock file */
export function missingFrom({ packages }: LockFile): Map<string, LockedPackage> {
  const missing = new Map<string, LockedPackage>();
  for (const [parent, { optionalDependencies }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
      if (!isFound(packages, parent, name)) missing.set(pathOf(parent, name), entryFor(name, version));
    }
  }
  return missing;
}

/** Looks where Node looks: beside the parent, then in each folder above. */
function isFound(packages: LockFile["packages"], parent: string, name: string): boolean {
  for (let place = parent; ; place = place.slice(0, Math.max(0, place.lastIndexOf("node_modules/") - 1))) {
    if (`${place === "" ? "" : `${place}/`}node_modules/${name}` in packages) return true;
    if (place === "") return false;
  }
}

/** Top level for what a top-level package needs; a nested package keeps its own, as its version may differ. */
function pathOf(parent: string, name: string): string {
  const isNested = parent.indexOf("node_modules/") !== parent.lastIndexOf("node_modules/");
  return isNested ? `${parent}/node_modules/${name}` : `node_modules/${name}`;
}

/** Platform packages end in `<os>-<cpu>[-<abi>]`, e.g. `binding-linux-x64-gnu`. */
function entryFor(name: string, version: string): LockedPackage {
  const found = /(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-([a-z]+))?$/.exec(name);
  if (!found) throw new Error(`${name} is missing from the lock file and does not say for which platform it is`);
  const [, os = "", cpu = "", abi = ""] = found;
  const libc = os === "linux" ? LIBC[abi] : undefined;
  return { version, cpu: [cpu], dev: true, ...(libc && { libc: [libc] }), optional: true, os: [os] };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL("../package-lock.json", import.meta.url);
  const lock = JSON.parse(readFileSync(file, "utf8")) as LockFile;
  const missing = missingFrom(lock);
  console.log(missing.size === 0 ? "the lock file is complete" : `missing: ${[...missing.keys()].join(", ")}`);
  if (process.argv.includes("--check")) {
    process.exitCode = missing.size === 0 ? 0 : 1;
  } else if (missing.size > 0) {
    const entries = Object.entries({ ...lock.packages, ...Object.fromEntries(missing) });
    lock.packages = Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  }
}
