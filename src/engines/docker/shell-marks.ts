/**
 * Finds the agent's marks in an output that is anything else besides: a mark is a byte 0x1e, the shell's secret word, a
 * blank, words, and a line feed. What is not a mark is passed on as it came; no more is held back than one mark's length.
 */
export interface MarkReader {
  push(chunk: Uint8Array): void;
}

export interface MarkHandlers {
  /** The bytes are the receiver's. */
  onBytes(bytes: Buffer): void;
  onMark(words: string): void;
}

/** A longer one is no mark; a folder's name in one is at most 4096. */
const MAX_MARK_BYTES = 8_192;
const START = 0x1e;
const END = 0x0a;

/** @param word unknown to what runs in the shell, so that it makes no mark by accident */
export function createMarkReader(word: string, { onBytes, onMark }: MarkHandlers): MarkReader {
  const prefix = Buffer.from(`\u001e${word} `, "latin1");
  let held: Buffer = Buffer.alloc(0);

  const pass = (bytes: Buffer) => {
    if (bytes.byteLength > 0) onBytes(bytes);
  };

  return {
    push(chunk) {
      let rest = held.byteLength > 0 ? Buffer.concat([held, chunk]) : Buffer.from(chunk);
      held = rest.subarray(0, 0);
      while (rest.byteLength > 0) {
        const at = rest.indexOf(prefix);
        if (at < 0) {
          const tail = startOfPrefix(rest, prefix);
          pass(rest.subarray(0, tail));
          held = Buffer.from(rest.subarray(tail));
          return;
        }
        pass(rest.subarray(0, at));
        rest = rest.subarray(at);
        const end = rest.indexOf(END);
        if (end < 0 && rest.byteLength <= MAX_MARK_BYTES) {
          held = Buffer.from(rest);
          return;
        }
        if (end < 0 || end > MAX_MARK_BYTES) {
          pass(rest.subarray(0, prefix.byteLength));
          rest = rest.subarray(prefix.byteLength);
          continue;
        }
        onMark(rest.subarray(prefix.byteLength, end).toString("utf8"));
        rest = rest.subarray(end + 1);
      }
    },
  };
}

/** Where something begins, at the very end, that the next chunk may make a mark of. */
function startOfPrefix(bytes: Buffer, prefix: Buffer): number {
  const from = Math.max(0, bytes.byteLength - prefix.byteLength + 1);
  for (let at = bytes.indexOf(START, from); at >= 0; at = bytes.indexOf(START, at + 1)) {
    if (prefix.subarray(0, bytes.byteLength - at).equals(bytes.subarray(at))) return at;
  }
  return bytes.byteLength;
}
