const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** What is kept of both ends of a line that is thrown away. */
const END_BYTES = 512;
const SMALL_BYTES = 64 * 1024;

/**
 * Cuts a stream of bytes into lines of text. A line longer than `maxBytes` is thrown away as it comes and told of once
 * its end has come; the next is read as usual. Each byte is looked at and copied once, however the lines are torn.
 */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  readonly #onTooLong: (head: string, tail: string) => void;
  /** The beginning of a line whose end has not come. */
  #held: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #skipped: { head: string; tail: Buffer } | undefined;

  /** @param onTooLong gets the first and the last {@link END_BYTES} bytes of the line */
  constructor(maxBytes: number, onLine: (line: string) => void, onTooLong: (head: string, tail: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      if (this.#bytes === 0 && !this.#skipped && at - start <= this.#maxBytes) this.#tell(chunk, start, at);
      else {
        this.#keep(chunk, start, at);
        this.end();
      }
      start = at + 1;
    }
    this.#keep(chunk, start, chunk.length);
  }

  /** Nothing more comes: what is there is a line too. */
  end(): void {
    const skipped = this.#skipped;
    const bytes = this.#bytes;
    this.#skipped = undefined;
    this.#bytes = 0;
    if (skipped) {
      this.#onTooLong(skipped.head, skipped.tail.toString("utf8"));
      return;
    }
    const held = this.#held;
    if (held.length > SMALL_BYTES) this.#held = Buffer.alloc(0);
    this.#tell(held, 0, bytes);
  }

  #tell(bytes: Buffer, start: number, end: number): void {
    const last = end > start && bytes[end - 1] === RETURN ? end - 1 : end;
    if (last > start) this.#onLine(bytes.toString("utf8", start, last));
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const added = end - start;
    if (added === 0) return;
    if (this.#skipped) {
      const { tail } = this.#skipped;
      this.#skipped.tail = lastOf(
        added < END_BYTES ? Buffer.concat([tail, chunk.subarray(start, end)]) : chunk.subarray(start, end),
      );
      return;
    }
    const bytes = this.#bytes + added;
    if (bytes > this.#maxBytes) {
      const head = Buffer.concat([
        this.#held.subarray(0, Math.min(this.#bytes, END_BYTES)),
        chunk.subarray(start, Math.min(end, start + END_BYTES)),
      ]);
      const tail = Buffer.concat([
        this.#held.subarray(Math.max(0, this.#bytes - END_BYTES), this.#bytes),
        chunk.subarray(Math.max(start, end - END_BYTES), end),
      ]);
      this.#skipped = { head: head.toString("utf8", 0, END_BYTES), tail: lastOf(tail) };
      this.#held = Buffer.alloc(0);
      this.#bytes = 0;
      return;
    }
    if (bytes > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.#held.length * 2, 4_096));
      this.#held.copy(larger, 0, 0, this.#bytes);
      this.#held = larger;
    }
    chunk.copy(this.#held, this.#bytes, start, end);
    this.#bytes = bytes;
  }
}

/** A copy, so that the rest can go. */
function lastOf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(-END_BYTES));
}
