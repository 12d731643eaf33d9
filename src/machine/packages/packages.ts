import type { Deadline } from "../../core/deadline.ts";

/**
 * npm packages for sandboxes: resolved and locked once, when a tool is made; installed, without running a line of them,
 * into read-only folders that are named by what is in them.
 *
 * Only what a registry serves under a name and a version is taken: no git, URL, file, alias, tag by URL. No package
 * code and no install script ever runs here.
 */
export interface PackageStore {
  /**
   * Finds the versions that fit, dependencies of dependencies and required peers too, and locks them.
   *
   * @param onProgress a plain sentence when it begins, then every few seconds
   * @throws PACKAGE_NOT_ALLOWED (form, name lists, count), PACKAGE_NOT_FOUND (name or range), PACKAGE_TOO_LARGE (number of
   *   packages or unpacked size as the registry says), PACKAGE_NATIVE; REGISTRY_UNAVAILABLE, at the latest after 45 s in
   *   which nothing came from it; the deadline's own error
   */
  resolve(
    wanted: readonly PackageSpec[],
    deadline: Deadline,
    onProgress?: (message: string) => void,
  ): Promise<PackageLock>;

  /**
   * The layer of a lock: from the cache, else made. Two that ask for the same one wait for one making, also across
   * processes. It stays at least until `release`.
   *
   * Never resolves anything: what is missing is fetched by the lock's own names, versions and integrity.
   *
   * @param onProgress a plain sentence when something has to be made, then every few seconds
   * @throws PACKAGE_NOT_ALLOWED when a name has been forbidden since; PACKAGE_INTEGRITY, PACKAGE_TOO_LARGE, PACKAGE_NATIVE,
   *   REGISTRY_UNAVAILABLE as in `resolve`; STORE_UNAVAILABLE when it cannot be written (disk full); the deadline's own error. Nothing
   *   half made is left.
   */
  layer(lock: PackageLock, deadline: Deadline, onProgress?: (message: string) => void): Promise<LayerLease>;

  health(): Promise<PackagesHealth>;

  /** Waits for or ends what is under way. Safe to call twice. */
  close(): Promise<void>;
}

/** One thing asked for: `{ name: "zod", version: "^4.1.0" }`. */
export interface PackageSpec {
  name: string;
  /** An exact version, a range in npm's grammar, or `latest`. */
  version: string;
}

/** Kept with the tool's revision, as JSON. In the order of `path`. */
export interface PackageLock {
  packages: LockedPackage[];
  /** In plain words, for whoever asked; they change nothing: a package that is for another Node, say. */
  warnings?: string[];
}

export interface LockedPackage {
  /** Where it stands: `node_modules/a`, `node_modules/a/node_modules/b`. */
  path: string;
  name: string;
  version: string;
  /** Subresource Integrity, sha512 (or sha1 where the registry has nothing better). */
  integrity: string;
  /** Has install scripts, which are not run. */
  hasScripts?: true;
}

export interface LayerLease {
  /** sha-256 of the lock, hex. */
  key: string;
  /** Absolute; holds `node_modules`. Nothing in it can be written. */
  folder: string;
  bytes: number;
  files: number;
  /** Safe to call twice. */
  release(): void;
}

export interface PackagesHealth {
  /** Layers in the cache and their bytes together. */
  layers: number;
  bytes: number;
  budgetBytes: number;
  /** How the installer is held in: `bubblewrap` or `permissions` of Node. */
  installer: string;
  problem?: string;
}
