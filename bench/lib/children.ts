import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";

export interface ChildCount {
  /** Pids of those that live now. */
  pids(): number[];
  /** Most that lived at once, since the last `restart`. */
  most(): number;
  restart(): void;
  stop(): void;
}

/**
 * Counts our own child processes exactly: Node tells of each that is made, so that none is missed between two looks.
 * Only those that are started from now on.
 */
export function countChildren(): ChildCount {
  const living = new Set<ChildProcess>();
  let most = 0;
  const onMade = (message: unknown) => {
    const child = (message as { process: ChildProcess }).process;
    living.add(child);
    most = Math.max(most, living.size);
    // One that could not be started has no exit.
    for (const end of ["exit", "close"]) child.once(end, () => living.delete(child));
  };
  subscribe("child_process", onMade);
  return {
    pids: () => [...living].flatMap(({ pid }) => pid ?? []),
    most: () => most,
    restart() {
      most = living.size;
    },
    stop: () => unsubscribe("child_process", onMade),
  };
}
