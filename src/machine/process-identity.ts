import { readFileSync, readlinkSync } from "node:fs";

/**
 * Which process is meant, told apart from a later one with the same number. Only Linux tells; elsewhere everything here
 * is undefined or false.
 */

/**
 * When a process started: with its number it is that process and no later one.
 * @returns ticks since the machine's start; undefined when there is none, when it has died and is only not waited for
 * yet, and where the system does not tell
 * @see proc_pid_stat(5)
 */
export function processStart(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold anything; state is the first field after it, the start the twentieth.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Whether the process that started then (see {@link processStart}) still runs under that number. */
export function isSameProcess(pid: number, start: string): boolean {
  return processStart(pid) === start;
}

/** Names this boot of this machine and this process namespace: within it, number and start say who a process is. */
export function hostIdentity(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const namespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
    return namespace === undefined ? undefined : `${boot}:${namespace}`;
  } catch {
    return undefined;
  }
}
