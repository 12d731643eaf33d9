import { readdirSync, readFileSync } from "node:fs";

/** Processes of this machine that have `word` among their arguments, whoever their parent is. Only on Linux. */
export function processesWith(word: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/cmdline`).split("\0").includes(word))
    .map(Number);
}

export function rssMiB(pid: number): number {
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024);
}

/** A process may end between two looks at it. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
