import { processStart } from "../process-identity.ts";

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

function ownerOf(pid: number): Owner | undefined {
  const start = processStart(pid);
  return start === undefined ? undefined : `${pid}-${start}`;
}
