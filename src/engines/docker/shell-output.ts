/** What a command prints: the beginning, up to a limit for both outputs together. The rest is only counted. */
export interface ShellOutput {
  take(from: "stdout" | "stderr", bytes: Buffer): void;
  readonly droppedBytes: number;
  bytesOf(from: "stdout" | "stderr"): Buffer;
  /** Bytes that are no UTF-8 become U+FFFD. */
  textOf(from: "stdout" | "stderr"): string;
}

export function createShellOutput(maxBytes: number): ShellOutput {
  const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let left = maxBytes;
  let droppedBytes = 0;

  const bytesOf = (from: "stdout" | "stderr") => Buffer.concat(kept[from]);
  return {
    take(from, bytes) {
      const part = bytes.subarray(0, left);
      // A copy: a small piece must not hold the large chunk that it came in.
      if (part.byteLength > 0) kept[from].push(Buffer.from(part));
      left -= part.byteLength;
      droppedBytes += bytes.byteLength - part.byteLength;
    },
    get droppedBytes() {
      return droppedBytes;
    },
    bytesOf,
    textOf: (from) => bytesOf(from).toString("utf8"),
  };
}
