import { format } from "./format.ts";
import { NotJson } from "./serialize.ts";
import { ToolError } from "./tools.ts";

/** What the child needs to know about something that was thrown. */
export interface Thrown {
  kind: "threw" | "not-json" | "out-of-memory" | "recursion" | "null";
  name?: string;
  message: string;
  stack?: string;
  /** Of a host call that was refused and that nobody caught: the server's code, or what the guest made of it. */
  code?: string;
}

const MESSAGE_CHARS = 4_000;
const NAME_CHARS = 200;
const STACK_CHARS = 4_000;

const { stringify } = JSON;
const TYPES = " undefined object boolean number bigint string symbol function ";
const includes = Function.prototype.call.bind(String.prototype.includes) as (text: string, part: string) => boolean;
const slice = Function.prototype.call.bind(String.prototype.slice) as (
  text: string,
  from: number,
  to: number,
) => string;

/** QuickJS throws this for its own limits; no author has a reason to. V8 does not have it. */
const Internal = (globalThis as { InternalError?: ErrorConstructor }).InternalError;
const AnyError = Error;
const AnyRangeError = RangeError;

/** Describes anything that can be thrown, tampered errors with throwing getters included. Never throws. */
export function describe(thrown: unknown): string {
  return stringify(thrownOf(thrown));
}

function thrownOf(thrown: unknown): Thrown {
  try {
    const place = NotJson.placeOf(thrown);
    if (place !== undefined) return { kind: "not-json", message: place };
    if (isOwn(thrown, "out of memory")) return { kind: "out-of-memory", message: "" };
    // The interpreter's own sign that there was no memory for an error; no author can make such a value.
    if (!includes(TYPES, ` ${typeof thrown} `)) return { kind: "out-of-memory", message: "" };
    // What is left when there is no memory to make an error of; or an author's own `throw null`.
    if (thrown === null) return { kind: "null", message: "null was thrown" };
    const kind = isRecursion(thrown) ? "recursion" : "threw";
    if (thrown instanceof AnyError) {
      return {
        kind,
        name: text(thrown.name, NAME_CHARS),
        message: text(thrown.message, MESSAGE_CHARS),
        stack: text(thrown.stack, STACK_CHARS),
        ...(thrown instanceof ToolError ? { code: text(thrown.code, NAME_CHARS) } : {}),
      };
    }
    return { kind: "threw", message: text(`${format(thrown)} was thrown`, MESSAGE_CHARS) };
  } catch {
    return { kind: "threw", message: "something that cannot be shown was thrown" };
  }
}

const isOwn = (thrown: unknown, message: string): boolean =>
  Internal !== undefined && thrown instanceof Internal && thrown.message === message;

/** In the words of either engine. */
const isRecursion = (thrown: unknown): boolean =>
  isOwn(thrown, "stack overflow") ||
  (thrown instanceof AnyRangeError && thrown.message === "Maximum call stack size exceeded");

function text(value: unknown, chars: number): string {
  return slice(typeof value === "string" ? value : format(value), 0, chars);
}
