import { accessSync, constants, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DynamicMcpError } from "../../core/errors.ts";
import { ensureFolder } from "../../machine/files.ts";

export const FILE_NAME = "dynamic-mcp.sqlite";

/** Where the store is: its folder (made with mode 0700) or, to the point, its file. */
export type StorePlace = { dataDir: string } | { file: string };

/**
 * Makes the folder of the store where it is missing.
 *
 * @returns absolute path of the file, which need not exist yet
 * @throws STORE_UNAVAILABLE when there is no folder and none can be made
 */
export function preparePlace(place: StorePlace): string {
  const file = resolve("file" in place ? place.file : join(place.dataDir, FILE_NAME));
  const folder = dirname(file);
  try {
    ensureFolder(folder, 0o700);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DynamicMcpError(
      "STORE_UNAVAILABLE",
      `the data directory ${folder} cannot be used (${why}); choose another with --data-dir`,
      { data: { folder }, cause },
    );
  }
  return file;
}

/**
 * Tells whether a path still leads to the same file. Never opens it: closing any descriptor of a file drops the POSIX
 * locks that SQLite holds on it in this process (sqlite.org/howtocorrupt.html, section 2.2).
 *
 * @returns undefined when there is no file, or an empty one that somebody is just making
 */
export function fileIdentity(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat && stat.size > 0n ? `${stat.dev}:${stat.ino}` : undefined;
}

/** @returns undefined, or why nothing can be written there, as far as permissions and mounts tell */
export function whyNotWritable(file: string): string | undefined {
  const folder = dirname(file);
  try {
    accessSync(folder, constants.W_OK);
    if (fileIdentity(file) !== undefined) accessSync(file, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "ENOENT") return `the data directory ${folder} is gone`;
    return `${folder} cannot be written (${code})`;
  }
}
