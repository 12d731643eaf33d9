import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { open, realpath, rename, rm, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { DynamicMcpError } from "../core/errors.ts";

/** A pipe that nobody writes is opened and refused instead of waited for. Windows has neither flag, nor the pipes. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Reads a file of a folder that somebody else may have filled, such as a clone.
 *
 * @param within the folder that links may not leave; without it the file was named by the operator, who may link
 * @throws INVALID_ARGUMENTS when it is anything but a regular file, lies elsewhere or cannot be read
 */
export async function readPlainFile(path: string, within?: string): Promise<string> {
  try {
    const real = await realpath(path);
    if (within !== undefined && !lies(real, await realpath(within))) {
      throw refused(`${path} is a link that leads out of its folder; put the file itself there`);
    }
    const file = await open(real, READ);
    try {
      if (!(await file.stat()).isFile()) throw refused(`${path} is not a regular file`);
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof DynamicMcpError ? error : refused(`${path} cannot be read: ${reasonOf(error)}`, error);
  }
}

/**
 * Puts a file in its place, whole or not at all. A link or pipe of that name is replaced, never written through.
 *
 * @throws INVALID_ARGUMENTS when it cannot be written
 */
export async function writePlainFile(path: string, text: string): Promise<void> {
  const fresh = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    await writeFile(fresh, text, { flag: "wx" });
    await rename(fresh, path);
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => {}); // what went wrong before says more
    throw refused(`${path} cannot be written: ${reasonOf(cause)}`, cause);
  }
}

function lies(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function refused(message: string, cause?: unknown): DynamicMcpError {
  return new DynamicMcpError("INVALID_ARGUMENTS", message, { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
