/** What a process and all its descendants use, from Linux's /proc. */
import { existsSync, readFileSync, readdirSync } from "node:fs";

export const HAS_PROC = existsSync("/proc/self/schedstat");
export const NO_PROC = "not measured: this needs /proc (Linux)";

/** What `/proc/<pid>/stat` counts in; the same on every Linux that Node runs on. */
const US_PER_TICK = 10_000;

const NOBODY: ReadonlySet<number> = new Set();

/**
 * CPU time since its start, in µs, of a process and all its descendants, all threads. Children that have ended count
 * through their parent, in steps of 10 ms.
 *
 * @param others descendants that are not counted
 */
export function cpuUs(pid: number, others = NOBODY): number {
  let us = 0;
  for (const each of tree(pid)) {
    if (others.has(each)) continue;
    for (const thread of list(`/proc/${each}/task`)) {
      us += Number(read(`/proc/${each}/task/${thread}/schedstat`).split(" ")[0] ?? 0) / 1000;
    }
    const [ofChildrenInUser = 0, ofChildrenInKernel = 0] = statFields(each).slice(13, 15).map(Number);
    us += (ofChildrenInUser + ofChildrenInKernel) * US_PER_TICK;
  }
  return us;
}

/**
 * Resident memory in bytes of a process and its descendants; pages they share count for each.
 *
 * @param others descendants that are not counted
 */
export function rssBytes(pid: number, others = NOBODY): number {
  return sum(tree(pid).map((each) => (others.has(each) ? 0 : statusBytes(each, "VmRSS"))));
}

/** The most that was ever resident, in bytes: the sum of each process' own most. */
export function peakRssBytes(pid: number, others = NOBODY): number {
  return sum(tree(pid).map((each) => (others.has(each) ? 0 : statusBytes(each, "VmHWM"))));
}

function statusBytes(pid: number, line: "VmRSS" | "VmHWM"): number {
  return Number(new RegExp(`^${line}:\\s+(\\d+)`, "m").exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

/** @returns pids of descendants whose command line has this word */
export function descendantsWith(pid: number, word: string): Set<number> {
  return new Set(tree(pid).filter((each) => each !== pid && read(`/proc/${each}/cmdline`).includes(word)));
}

/**
 * Memory in bytes that would be free if a process and its descendants ended: pages that nobody else has.
 *
 * @returns NaN where one of them may not be looked into: it belongs to another user, and we are not root
 */
export function privateBytes(pid: number): number {
  return sum(tree(pid).map(ownPrivateBytes));
}

/** The same of one process alone. */
export function ownPrivateBytes(pid: number): number {
  const maps = read(`/proc/${pid}/smaps_rollup`);
  if (maps === "") return NaN;
  return sum([...maps.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].map(([, kiB]) => Number(kiB) * 1024));
}

export const NO_SMAPS = "not measured: this needs /proc/PID/smaps_rollup (Linux), and root";

export const parentOf = (pid: number) => Number(statFields(pid)[1]);

/** @returns the start of its file's name, as the kernel keeps it; empty when there is no such process */
export const programOf = (pid: number) => read(`/proc/${pid}/comm`).trim();

/** Whether a process of this machine runs in a container, and so is really its process. */
export const isOfContainer = (pid: number, containerId: string) => read(`/proc/${pid}/cgroup`).includes(containerId);

const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);

/** @returns pids, the root first */
function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of list("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** From the state on: the program's name before it stands in parentheses and may hold anything. */
function statFields(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
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
