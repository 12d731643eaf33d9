/**
 * What the host and the supervisor in a container say to each other, in frames: one byte of what, four bytes with the
 * number of a process, then the rest.
 */
export const DOWN = {
  /** Rest: four bytes of length, JSON of {@link Setup}, the script that each process runs. The first thing said. */
  setup: 1,
  /** Starts a process. */
  start: 2,
  /** Rest: bytes for its input. */
  input: 3,
  kill: 4,
} as const;

export const UP = {
  /** Rest: bytes of its output. */
  output: 1,
  /** Rest: JSON of {@link Ended}. */
  ended: 2,
} as const;

export interface Setup {
  /** The command line of a process; `{folder}` in it stands for its own folder. */
  command: string[];
  env: Record<string, string>;
  /** A process that takes more memory is ended. */
  rssMiB: number;
}

export interface Ended {
  code: number | null;
  signal: string | null;
  /** Ended for its memory, by us or by the kernel. */
  isOutOfMemory: boolean;
  /** The end of what it wrote there. */
  stderr: string;
}

export function word(what: number, id: number): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt8(what, 0);
  head.writeUInt32BE(id, 1);
  return head;
}

export function readWord(frame: Uint8Array): { what: number; id: number; rest: Buffer } {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  return { what: bytes.readUInt8(0), id: bytes.readUInt32BE(1), rest: bytes.subarray(5) };
}
