import { OP } from "./ops.ts";

/**
 * The one door between the guest's own code and what runs it: the child process around the interpreter, or our part of
 * the Node process. Texts that cross are JSON or free of NUL, because to the interpreter they cross as C strings. What
 * each operation takes and gives is in `quickjs/host-ops.ts`.
 */
export type Bridge = (op: number, text: string, bytes?: ArrayBufferLike) => unknown;

let bridge: Bridge = () => undefined;

/** Done once, before any author's code. */
export function connect(to: Bridge): void {
  bridge = to;
}

const { parse, stringify } = JSON;

/** QuickJS's own; thrown here when the child found no room for its answer. */
const Internal = (globalThis as { InternalError?: ErrorConstructor }).InternalError ?? RangeError;

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
