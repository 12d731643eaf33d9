import { readFileSync } from "node:fs";
import { withDescendants } from "./descendants.ts";

/**
 * Where no control group holds a sandbox: looks at the memory of its processes every few milliseconds. Between two looks
 * a program can take more than its limit; measured, an allocation bomb reached 300 MB for a limit of 256. Linux only.
 */
export interface MemoryWatch {
  /**
   * @param pid       of a process of ours; it and all below it count
   * @param onTooMuch called once
   * @returns ends it; safe to call twice
   */
  watch(pid: number, limitBytes: number, onTooMuch: () => void): () => void;
}

interface Watched {
  pid: number;
  limitBytes: number;
  onTooMuch(): void;
}

export const LOOK_EVERY_MS = 25;

export function createMemoryWatch(): MemoryWatch {
  const all = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    for (const each of all) {
      if (anonymousBytes(each.pid) <= each.limitBytes) continue;
      all.delete(each);
      each.onTooMuch();
    }
  }

  return {
    watch(pid, limitBytes, onTooMuch) {
      const watched = { pid, limitBytes, onTooMuch };
      all.add(watched);
      timer ??= setInterval(look, LOOK_EVERY_MS).unref();
      return () => {
        all.delete(watched);
        if (all.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}

/** What the processes have for themselves, without the program's files that all of them share. */
function anonymousBytes(pid: number): number {
  let bytes = 0;
  for (const each of withDescendants(pid)) {
    for (const [, kiB] of statusOf(each).matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)) bytes += Number(kiB) * 1024;
  }
  return bytes;
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return ""; // it has ended meanwhile
  }
}
