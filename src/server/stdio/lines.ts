import type { Readable, Writable } from "node:stream";
import { DynamicMcpError } from "../../core/errors.ts";
import type { RequestId } from "../json-rpc.ts";

const NEWLINE = 0x0a;

/** What is kept of both ends of a line that is thrown away. */
const END_BYTES = 512;

/**
 * Takes lines off a stream. A line longer than `maxBytes` is thrown away as it comes and reported once, when its end
 * has come; the next line is read as usual.
 *
 * @param on `tooLong` gets the first and the last {@link END_BYTES} bytes of the line
 * @returns the end of reading
 */
export function readLines(
  input: Readable,
  maxBytes: number,
  on: { line: (line: string) => void; tooLong: (head: string, tail: string) => void; end: () => void },
): () => void {
  let parts: Buffer[] = [];
  let bytes = 0;
  /** Of the line that is being thrown away, if one is. */
  let skipped: { head: string; tail: Buffer } | undefined;

  const push = (part: Buffer) => {
    if (part.length === 0) return;
    if (skipped) {
      skipped.tail = lastOf(part.length < END_BYTES ? [skipped.tail, part] : [part]);
      return;
    }
    bytes += part.length;
    parts.push(part);
    if (bytes <= maxBytes) return;
    const whole = Buffer.concat(parts);
    skipped = { head: whole.toString("utf8", 0, END_BYTES), tail: lastOf([whole]) };
    parts = [];
  };
  const flush = () => {
    const ended = skipped;
    const line = ended ? "" : (parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)).toString("utf8");
    parts = [];
    bytes = 0;
    skipped = undefined;
    if (ended) on.tooLong(ended.head, ended.tail.toString("utf8"));
    else if (line.trim() !== "") on.line(line);
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

/** A copy, so that the rest can go. */
function lastOf(parts: Buffer[]): Buffer {
  return Buffer.from(Buffer.concat(parts).subarray(-END_BYTES));
}

const ID = String.raw`"id"\s*:\s*(?<id>-?\d{1,15}|"[^"\\]{1,200}")`;
const SMALL = String.raw`"(?:jsonrpc|method)"\s*:\s*"[^"\\]{1,100}"`;
/** Whatever comes before: an `id` that is followed by the end of the line can only be the message's own. */
const AT_END = new RegExp(String.raw`,\s*${ID}\s*(?:,\s*${SMALL}\s*){0,2}\}\s*$`);
const AT_START = new RegExp(String.raw`^\s*\{\s*(?:${SMALL}\s*,\s*){0,2}${ID}\s*,`);

/** The id of a message of which only both ends are known, when it stands at one of them for certain. */
export function idOfEnds(head: string, tail: string): RequestId | null {
  const found = (AT_START.exec(head) ?? AT_END.exec(tail))?.groups?.["id"];
  return found === undefined ? null : (JSON.parse(found) as RequestId);
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
