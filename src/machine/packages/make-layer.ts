import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { cannotWrite, install } from "./install.ts";
import type { InstallerJail } from "./installer-jail.ts";
import { byteLimit } from "./limit-words.ts";
import type { PackageOptions } from "./options.ts";
import type { LockedPackage, PackageLock } from "./packages.ts";
import type { Progress } from "./progress.ts";
import { createRegistry, type Registry } from "./registry.ts";
import type { Unpacked } from "./unpack.ts";

const DOWNLOADS_AT_ONCE = 8;
/** Small packages are larger packed than unpacked. */
const PACKED_SLACK_BYTES = 1024 * 1024;

export interface Making {
  lock: PackageLock;
  /** Empty, ours. */
  work: string;
  options: PackageOptions;
  jail: InstallerJail;
  deadline: Deadline;
  progress: Progress;
}

/**
 * Fetches the archives of a lock and unpacks them in the jail. Each is checked whole before a byte of it is unpacked.
 *
 * @returns the folder inside of `work` that is to become the layer, and what is in it
 * @throws as `PackageStore.layer`; what is in `work` then is for the caller to remove
 */
export async function makeLayer(making: Making): Promise<{ folder: string; unpacked: Unpacked }> {
  const { lock, options, deadline, progress } = making;
  // The jail knows files by their real names.
  const work = realpathSync(making.work);
  const [archives, folder] = [join(work, "archives"), join(work, "layer")];
  const registry = createRegistry(options.registry, deadline.signal);
  try {
    mkdirSync(archives);
    mkdirSync(folder);
    progress.tell(`fetching ${count(lock.packages.length, "package")}`);
    const files = await fetchAll(making, registry, archives);
    progress.tell("unpacking");
    const packages = lock.packages.map((each) => ({
      name: idOf(each),
      archive: files.get(contentOf(each)) ?? "",
      path: each.path,
    }));
    const { maxBytes, maxFiles } = options.limits;
    const unpacked = await install({ folder, packages, maxBytes, maxFiles }, archives, making.jail, deadline);
    return { folder, unpacked };
  } catch (error) {
    deadline.throwIfEnded();
    throw isOfFiles(error) ? cannotWrite(error, work) : error;
  } finally {
    registry.close();
  }
}

/** @returns the archive's file by content: a package that stands in several places is fetched once */
async function fetchAll({ lock, options, progress }: Making, registry: Registry, archives: string) {
  const { limits } = options;
  const maxBytes = limits.maxBytes + PACKED_SLACK_BYTES;
  const wanted = new Map(lock.packages.map((each) => [contentOf(each), each]));
  const files = new Map<string, string>();
  let left = maxBytes;
  let fetched = 0;
  const queue = [...wanted];
  async function work(): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [content, each] = next;
      const file = join(archives, `${files.size}.tgz`);
      files.set(content, file);
      left -= await registry.archive(each, file, left);
      progress.note(`fetched ${++fetched} of ${count(wanted.size, "package")}`);
      // Those that came in side by side may be too large together.
      if (left < 0) throw new DynamicMcpError("PACKAGE_TOO_LARGE", `these packages are too large even packed: ${byteLimit(limits.maxBytes)}`); // prettier-ignore
    }
  }
  try {
    await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, work));
  } catch (error) {
    queue.length = 0;
    throw error;
  }
  return files;
}

const idOf = ({ name, version }: LockedPackage) => `${name}@${version}`;
const contentOf = (each: LockedPackage) => `${idOf(each)} ${each.integrity}`;
const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Of our own files; faults of the network have been given words already. */
const isOfFiles = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && !(error instanceof DynamicMcpError) && "code" in error && "syscall" in error;
