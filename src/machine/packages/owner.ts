import { readFileSync } from "node:fs";

/**
 * A process as it is written into file names: its number and when it started, so that a number that was given out again
 * is not taken for the one that died.
 */
export type Owner = string;

let own: Owner | undefined;

export function ownOwner(): Owner {
  return (own ??= ownerOf(process.pid) ?? `${process.pid}-0`);
}

/** @returns whether that very process still runs */
export function isAlive(owner: Owner): boolean {
  const [pid = "", start] = owner.split("-");
  const number = Number(pid);
  if (!Number.isSafeInteger(number) || number <= 0) return false;
  const now = ownerOf(number);
  if (now !== undefined) return start === "0" || now === owner;
  if (process.platform === "linux") return false;
  try {
    process.kill(number, 0);
    return true;
  } catch (error) {
    // Somebody else's process runs, too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Only where `/proc` tells when a process started: Linux. A process that has died and is not yet waited for is none. */
function ownerOf(pid: number): Owner | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : `${pid}-${fields[19] ?? 0}`;
  } catch {
    return undefined;
  }
}
