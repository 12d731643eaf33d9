import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder and those above it that are missing, one by one: `mkdir` with `recursive` never comes back below
 * `/proc` and its kin, where a parent cannot be made (nodejs, observed on 22, 24 and 26).
 *
 * @param mode of the folders that are made, before the umask
 * @throws what `mkdir` of the first folder that cannot be made throws (`ENOTDIR`, `EACCES`, `ENOENT`, `EROFS` ...)
 */
export function ensureFolder(path: string, mode = 0o777): void {
  const missing: string[] = [];
  let at = resolve(path);
  while (statSync(at, { throwIfNoEntry: false }) === undefined && dirname(at) !== at) {
    missing.push(at);
    at = dirname(at);
  }
  // A file in the way of the path itself has to be told, too.
  if (missing.length === 0 && !statSync(at).isDirectory()) mkdirSync(at, mode);
  for (const folder of missing.toReversed()) {
    try {
      mkdirSync(folder, mode);
    } catch (error) {
      // Another process of ours may be making the same one.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
