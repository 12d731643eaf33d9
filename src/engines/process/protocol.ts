import type { ConsoleLine, GuestFault, HostAccess, JobLimits } from "../engine.ts";

/**
 * Frames between the engine and its child. The first byte is the kind, then four bytes with the length of a JSON head,
 * the head, and the rest: one or two raw parts that are not worth a second encoding.
 */
export const KIND = {
  /** down: head {@link JobHead}, rest: code, packages, arguments */
  job: 1,
  /** down: head {@link ReplyHead}, rest: JSON of the value, or of `{message, code, data}` */
  reply: 2,
  /** down: head {}; the job is over, answer at once */
  end: 3,
  /** up: head {@link ReadyHead} */
  ready: 4,
  /** up: head {@link CallHead}, rest: JSON of the payload */
  call: 5,
  /** up: head {@link LogsHead}; the guest waits for a timer or an answer */
  waits: 6,
  /** up: head {}; a timer has fired and the guest runs again */
  runs: 7,
  /** up: head {@link EndHead}, rest: JSON of the result */
  done: 8,
} as const;

export interface JobHead {
  limits: JobLimits;
  seed: string;
  startedAtMs: number;
  may: HostAccess;
  /** Shown in stack traces. */
  file: string;
  /** How long the guest may run, not counting what it waits. */
  remainingMs: number;
  codeBytes: number;
  /** Packages as one script, for an interpreter without files. */
  packages?: { bytes: number; importName: string };
}

export interface ReplyHead {
  step: number;
  ok: boolean;
  remainingMs: number;
}

export interface ReadyHead {
  /** Of the process, MiB. */
  rssMiB: number;
}

export interface CallHead {
  method: string;
  step: number;
}

export interface LogsHead {
  logs: ConsoleLine[];
}

export interface EndHead extends LogsHead {
  /** `ENDED`: on request; the engine knows why. */
  code?: GuestFault | "ENDED";
  message?: string;
  /** Of ENGINE_CRASHED, for our log: nothing that a client could use. */
  detail?: string;
  errorName?: string;
  /** Of a refused host call that nobody caught. */
  errorCode?: string;
  line?: number;
  column?: number;
  logBytesDropped: number;
  /** The interpreter cannot be trusted any more. */
  poisoned?: boolean;
  rssMiB: number;
}

// Taken at the start: beside a guest in the same process these may be something else later.
const { parse, stringify } = JSON;

export function pack(kind: number, head: object, ...rest: Uint8Array[]): Uint8Array[] {
  const json = Buffer.from(stringify(head), "utf8");
  const start = Buffer.alloc(5);
  start.writeUInt8(kind, 0);
  start.writeUInt32BE(json.byteLength, 1);
  return [start, json, ...rest];
}

const HEAD_AT = 5;

/** A frame as it can be judged before anything of it is read. */
export interface Outline {
  kind: number;
  headBytes: number;
  restBytes: number;
}

/** @throws RangeError for what is no frame */
export function outlineOf(frame: Uint8Array): Outline {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const headBytes = bytes.readUInt32BE(1);
  const restBytes = bytes.byteLength - HEAD_AT - headBytes;
  if (restBytes < 0) throw new RangeError("a head that is longer than its frame");
  return { kind: bytes.readUInt8(0), headBytes, restBytes };
}

export interface Unpacked {
  kind: number;
  /** As its kind says. Both ends are ours; the other end's claims about a guest are checked where they are used. */
  head: unknown;
  rest: Uint8Array;
}

/** @throws RangeError, SyntaxError for what is no frame */
export function unpack(frame: Uint8Array): Unpacked {
  const { kind, headBytes } = outlineOf(frame);
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  return {
    kind,
    head: parse(bytes.toString("utf8", HEAD_AT, HEAD_AT + headBytes)),
    rest: frame.subarray(HEAD_AT + headBytes),
  };
}
