import type { Readable, Writable } from "node:stream";
import { DynamicMcpError } from "../../core/errors.ts";

const NEWLINE = 0x0a;

/**
 * Takes lines off a stream. A line longer than `maxBytes` is thrown away as it comes and reported once; the next line
 * is read as usual.
 *
 * @returns the end of reading
 */
export function readLines(
  input: Readable,
  maxBytes: number,
  on: { line: (line: string) => void; tooLong: () => void; end: () => void },
): () => void {
  let parts: Buffer[] = [];
  let bytes = 0;
  let isSkipping = false;

  const push = (part: Buffer) => {
    if (isSkipping || part.length === 0) return;
    bytes += part.length;
    if (bytes > maxBytes) {
      isSkipping = true;
      parts = [];
      on.tooLong();
    } else parts.push(part);
  };
  const flush = () => {
    const line = isSkipping ? "" : (parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)).toString("utf8");
    parts = [];
    bytes = 0;
    isSkipping = false;
    if (line.trim() !== "") on.line(line);
  };
  const onData = (chunk: Buffer | string) => {
    const data = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, start)) {
      push(data.subarray(start, at));
      flush();
      start = at + 1;
    }
    push(data.subarray(start));
  };
  const onEnd = () => {
    flush();
    stop();
    on.end();
  };
  const stop = () => {
    input.off("data", onData);
    input.off("end", onEnd);
    input.off("close", onEnd);
    input.off("error", onEnd);
    input.pause();
  };
  input.on("data", onData);
  input.on("end", onEnd);
  input.on("close", onEnd);
  input.on("error", onEnd);
  return stop;
}

/** More than this waiting for a client that does not read: what may be dropped is, and no more is read from it. */
const MAX_WAITING_BYTES = 4_000_000;

/** Puts lines on a stream, and slows its counterpart down when the other side does not keep up. */
export function createLineWriter(output: Writable, input: Readable, onGone: () => void) {
  let isGone = false;
  const gone = () => {
    if (isGone) return;
    isGone = true;
    onGone();
  };
  const resume = () => void input.resume();
  output.on("error", gone);
  output.on("close", gone);
  output.on("drain", resume);

  return {
    /**
     * One line; a small one leaves in one system call.
     *
     * @returns false when nobody reads any more
     */
    write(head: string, body?: Buffer, tail = ""): boolean {
      if (isGone) return false;
      if (body) {
        output.cork();
        output.write(head);
        output.write(body);
        output.write(`${tail}\n`);
        output.uncork();
      } else output.write(`${head}\n`);
      if (output.writableLength > MAX_WAITING_BYTES) input.pause();
      return true;
    },

    offer(text: string): void {
      if (output.writableLength <= MAX_WAITING_BYTES) this.write(text);
    },

    /** Waits until everything has left, at most `waitMs`. */
    async flush(waitMs: number): Promise<void> {
      if (isGone) return;
      await new Promise<void>((done) => {
        const timer = setTimeout(done, waitMs);
        output.write("", () => {
          clearTimeout(timer);
          done();
        });
      });
    },

    close(): void {
      output.off("close", gone);
      output.off("drain", resume);
    },
  };
}

export function lineTooLong(maxBytes: number): DynamicMcpError {
  return new DynamicMcpError("TOO_LARGE", `a message may have at most ${maxBytes} bytes`, { data: { maxBytes } });
}
