import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ensureFolder } from "../files.ts";
import { isAlive, type Owner } from "./owner.ts";

/** A lock without a name in it, this old, is of a process that died while it wrote the name. */
const NAMELESS_MS = 5_000;

/**
 * Locks are files that hold who has them. That of a dead owner counts for nothing.
 *
 * @param aside a path in another folder of the same disk, which nobody else uses
 * @returns false while a live process has it
 * @throws errors of the file system
 */
export function tryLock(file: string, me: Owner, aside: () => string): boolean {
  ensureFolder(dirname(file), 0o700);
  for (let tries = 0; tries < 3; tries++) {
    if (write(file, me)) return true;
    const owner = ownerOf(file);
    if (owner !== undefined && !isDead(owner, file)) return false;
    if (owner !== undefined) breakLock(file, owner, aside());
  }
  return false;
}

/** Not when it has been taken from us meanwhile. */
export function unlock(file: string, me: Owner): void {
  if (ownerOf(file) === me) rmSync(file, { force: true });
}

/** Removes a lock whose owner has died. */
export function removeIfDead(file: string, aside: () => string): void {
  const owner = ownerOf(file);
  if (owner !== undefined && isDead(owner, file)) breakLock(file, owner, aside());
}

/**
 * Takes a lock away from a dead owner. Several may see at once that it has died, and the first may have the lock by the
 * time the others act: so it is moved aside, where nobody else reaches it, and put back when it is not the dead one's.
 *
 * @param dead what the lock held when its owner was found to be dead
 */
export function breakLock(file: string, dead: Owner, aside: string): void {
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return; // somebody was faster
    throw error;
  }
  try {
    if (readFileSync(aside, "utf8") !== dead) linkSync(aside, file);
  } catch (error) {
    // Within these few instructions somebody has locked it anew: then both go on, a layer is made twice and the first one stays.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @returns false when there is one */
function write(file: string, me: Owner): boolean {
  try {
    writeFileSync(file, me, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** @returns undefined when there is none */
function ownerOf(file: string): Owner | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function isDead(owner: Owner, file: string): boolean {
  if (owner !== "") return !isAlive(owner);
  const since = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return since !== undefined && Date.now() - since > NAMELESS_MS;
}
