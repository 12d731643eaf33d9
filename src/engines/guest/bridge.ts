import { OP } from "./ops.ts";

/**
 * The one door between the guest and the child process around it. Texts that cross are JSON or free of NUL, because
 * they cross as C strings. What each operation takes and gives is in `quickjs/host-ops.ts`.
 */
export type Bridge = (op: number, text: string, bytes?: ArrayBufferLike) => unknown;

/** Bound by the wrapper around the bundled prelude; authors never see it. */
declare const bridge: Bridge;

const { parse, stringify } = JSON;

/** QuickJS's own; thrown here when the child found no room for its answer. */
declare const InternalError: ErrorConstructor;
const Internal = InternalError;

function roomFor<T>(answer: T | undefined): T {
  if (answer === undefined) throw new Internal("out of memory");
  return answer;
}

export const ask = (op: number, question: unknown): unknown =>
  parse(roomFor(bridge(op, stringify(question)) as string | undefined));
export const tell = (op: number, text: string): unknown => bridge(op, text);
export const encodeBytes = (text: string): ArrayBuffer =>
  roomFor(bridge(OP.encode, stringify(text)) as ArrayBuffer | undefined);
export const decodeBytes = (question: unknown, bytes: ArrayBufferLike): unknown =>
  parse(roomFor(bridge(OP.decode, stringify(question), bytes) as string | undefined));
