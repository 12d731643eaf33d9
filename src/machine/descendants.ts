import { readFileSync } from "node:fs";

/** A process and all below it, as they are right now, outermost first. Linux only; empty when it is gone. */
export function withDescendants(pid: number): number[] {
  if (read(`/proc/${pid}/stat`) === "") return [];
  const all = new Set([pid]);
  for (const at of all) {
    // Grows on the way.
    for (const child of read(`/proc/${at}/task/${at}/children`).split(" ")) if (child !== "") all.add(Number(child));
  }
  return [...all];
}

/** Processes come and go between two looks. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
