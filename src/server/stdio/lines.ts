import type { Readable, Writable } from "node:stream";
import { DynamicMcpError } from "../../core/errors.ts";
import { LineReader } from "../../machine/line-reader.ts";

/**
 * Takes lines off a stream, empty ones left out. A line longer than `maxBytes` is thrown away as it comes and reported
 * once, when its end has come; the next line is read as usual.
 *
 * @param on `tooLong` gets both ends of the line
 * @returns the end of reading
 */
export function readLines(
  input: Readable,
  maxBytes: number,
  on: { line: (line: string) => void; tooLong: (head: string, tail: string) => void; end: () => void },
): () => void {
  const take = (line: string) => {
    if (line.trim() !== "") on.line(line);
  };
  const reader = new LineReader(maxBytes, take, on.tooLong);
  const onData = (chunk: Buffer | string) => reader.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  const onEnd = () => {
    reader.end();
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
/** What is written in one go, about. */
const MAX_QUEUED_CHARS = 65_536;
/** Notices that wait for such a client. */
const MAX_LATE = 1_000;

/**
 * Puts lines on a stream, and slows its counterpart down when the other side does not keep up. Lines that are written in
 * one go leave together: a system call costs as much as the rest of a small answer.
 */
export function createLineWriter(output: Writable, input: Readable, onGone: () => void) {
  let isGone = false;
  let queued = "";
  const send = () => {
    const text = queued;
    queued = "";
    if (text !== "" && !isGone) output.write(text);
  };
  /** Notices that wait until the other side keeps up; each says the same however often it came. */
  const late = new Set<string>();
  const gone = () => {
    if (isGone) return;
    isGone = true;
    onGone();
  };
  const resume = () => {
    input.resume();
    const waiting = [...late];
    late.clear();
    for (const text of waiting) writer.write(text);
  };
  output.on("error", gone);
  output.on("close", gone);
  output.on("drain", resume);

  const writer = {
    /** @returns false when nobody reads any more */
    write(head: string, body?: Buffer, tail = ""): boolean {
      if (isGone) return false;
      if (body) {
        output.cork();
        send();
        output.write(head);
        output.write(body);
        output.write(`${tail}\n`);
        output.uncork();
      } else {
        if (queued === "") process.nextTick(send);
        queued += `${head}\n`;
        if (queued.length > MAX_QUEUED_CHARS) send();
      }
      if (output.writableLength > MAX_WAITING_BYTES) input.pause();
      return true;
    },

    /** For what may get lost. */
    offer(text: string): void {
      if (output.writableLength <= MAX_WAITING_BYTES) writer.write(text);
    },

    /** For notices: later, rather than never. */
    notice(text: string): void {
      if (output.writableLength <= MAX_WAITING_BYTES) writer.write(text);
      else if (late.size < MAX_LATE) late.add(text);
    },

    /** Waits until everything has left, at most `waitMs`. */
    async flush(waitMs: number): Promise<void> {
      if (isGone) return;
      send();
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
  return writer;
}

export function lineTooLong(maxBytes: number): DynamicMcpError {
  return new DynamicMcpError("TOO_LARGE", `a message may have at most ${maxBytes} bytes`, { data: { maxBytes } });
}
