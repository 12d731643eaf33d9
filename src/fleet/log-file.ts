import { appendFile, mkdir, rename, stat } from "node:fs/promises";
import path from "node:path";
import type { Logger } from "../core/source.ts";
import type { LogLine } from "./fleet.ts";

const FLUSH_MS = 200;

/** Where the logs of servers are, in a data folder. */
export function logFolderIn(dataDir: string): string {
  return path.join(dataDir, "logs", "servers");
}

/** Where another process finds the last lines of a server. */
export function logPath(folder: string, server: string): string {
  return path.join(folder, `${encodeURIComponent(server.toWellFormed())}.log`);
}

/**
 * Writes what is new in a ring to a file, now and then: a flood writes no more than the ring holds. A file that has
 * grown past its bound becomes `.log.1`, in the place of the one before.
 */
export function createLogFile(
  file: string,
  { fresh, maxBytes, log }: { fresh: () => LogLine[]; maxBytes: number; log: Logger },
) {
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let hasFailed = false;

  async function write(): Promise<void> {
    const text = fresh()
      .map((line) => `${JSON.stringify(line)}\n`)
      .join("");
    if (text === "") return;
    try {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      const before = await stat(file).catch(() => undefined);
      if (before && before.size + text.length > maxBytes) await rename(file, `${file}.1`);
      await appendFile(file, text, { mode: 0o600 });
    } catch (error) {
      if (!hasFailed) log.warn({ err: error, file }, "the log of a server cannot be written to its file");
      hasFailed = true;
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    return (writing = writing.then(write));
  }

  return {
    /** There is something new. */
    poke(): void {
      timer ??= setTimeout(() => void flush(), FLUSH_MS).unref();
    },
    flush,
  };
}
