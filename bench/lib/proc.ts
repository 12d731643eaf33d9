/** What a process and all its descendants use, from Linux's /proc. */
import { existsSync, readFileSync, readdirSync } from "node:fs";

export const HAS_PROC = existsSync("/proc/self/schedstat");
export const NO_PROC = "not measured: this needs /proc (Linux)";

/** CPU time since their start, in µs, of a process and its living descendants, all threads. */
export function cpuUs(pid: number): number {
  let ns = 0;
  for (const each of tree(pid)) {
    for (const thread of list(`/proc/${each}/task`)) {
      ns += Number(read(`/proc/${each}/task/${thread}/schedstat`).split(" ")[0] ?? 0);
    }
  }
  return ns / 1000;
}

/** Resident memory in bytes of a process and its descendants; pages they share count for each. */
export function rssBytes(pid: number): number {
  const kiB = (each: number) => Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${each}/status`))?.[1] ?? 0);
  return tree(pid).reduce((sum, each) => sum + kiB(each) * 1024, 0);
}

/** @returns pids, the root first */
function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of list("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    // The program's name stands in parentheses and may hold anything, so what follows the last one counts.
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** A process may end between two looks at it. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
