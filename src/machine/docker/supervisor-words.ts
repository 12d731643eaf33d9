import { timingSafeEqual } from "node:crypto";

/**
 * What the host and the supervisor in a container say to each other, in frames: a secret, one byte of what, four bytes
 * with the number of a process, then the rest.
 *
 * The supervisor learns the secret with the first frame, before any guest runs. Guests have its user, so a way to open a
 * file would be a way to its pipes; who finds one can break what is said there, and not say anything.
 */
export const DOWN = {
  /** Rest: four bytes of length, JSON of {@link Setup}, the script that each process runs. The first thing said, once. */
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
  /** Ended by the supervisor or the kernel, for this; null: by itself, by the host, or by another guest. */
  cause: "memory" | "flood" | null;
  /** The end of what it wrote there. */
  stderr: string;
}

export const SECRET_BYTES = 16;

export function word(secret: Uint8Array, what: number, id: number): Uint8Array {
  const head = Buffer.alloc(SECRET_BYTES + 5);
  head.set(secret);
  head.writeUInt8(what, SECRET_BYTES);
  head.writeUInt32BE(id, SECRET_BYTES + 1);
  return head;
}

export const secretOf = (frame: Uint8Array): Uint8Array => frame.slice(0, SECRET_BYTES);

/** @throws Error for a frame that is none of the other side's */
export function readWord(secret: Uint8Array, frame: Uint8Array): { what: number; id: number; rest: Buffer } {
  if (frame.byteLength < SECRET_BYTES + 5 || !timingSafeEqual(secretOf(frame), secret)) {
    throw new Error("somebody else speaks in the name of the supervisor, or of the host");
  }
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).subarray(SECRET_BYTES);
  return { what: bytes.readUInt8(0), id: bytes.readUInt32BE(1), rest: bytes.subarray(5) };
}
