import { Readable, Writable } from "node:stream";
import type { ConsoleLine } from "../../engine.ts";

/**
 * `process.stdout`, `stderr` and `stdin` of the guest. What is written becomes console lines; the real descriptors may
 * be our own channel. Made when first asked for.
 */
const { defineProperty } = Object;
/** A line without an end is cut into pieces of this size. */
const PIECE_CHARS = 100_000;

export interface Output {
  /** The end of what was written, when it has no line end. */
  flush(): void;
}

export function installOutput(add: (line: ConsoleLine) => void): Output {
  const flushes: (() => void)[] = [];

  function stream(fd: 1 | 2, level: ConsoleLine["level"]): Writable {
    let partial = "";
    const flush = () => {
      if (partial !== "") add({ level, text: partial });
      partial = "";
    };
    flushes.push(flush);
    const writable = new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _, done) {
        const lines = (partial + String(chunk)).split("\n");
        partial = lines.pop() ?? "";
        for (const text of lines) add({ level, text });
        if (partial.length > PIECE_CHARS) flush();
        done();
      },
    });
    return Object.assign(writable, { fd, isTTY: false, _isStdio: true });
  }

  lazily("stdout", () => stream(1, "log"));
  lazily("stderr", () => stream(2, "error"));
  lazily("stdin", () => Readable.from([]));
  return {
    flush() {
      try {
        for (const flush of flushes) flush();
      } catch {
        // The guest has changed what this is made of.
      }
    },
  };
}

function lazily(name: "stdout" | "stderr" | "stdin", make: () => Readable | Writable): void {
  let made: Readable | Writable | undefined;
  defineProperty(process, name, { get: () => (made ??= make()), configurable: true, enumerable: true });
}
