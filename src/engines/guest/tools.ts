import { tell } from "./bridge.ts";
import { OP } from "./ops.ts";

/** Host calls: the promise stays here, the child gives the step its number and answers through `reply`. */

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const { parse, stringify } = JSON;
const waiting = new Map<number, Waiting>();

/** What a refused or failed call rejects with. `code` is from the server's error table. */
export class ToolError extends Error {
  readonly code: string;
  readonly data: unknown;

  constructor(message: string, code: string, data: unknown) {
    super(message);
    Object.defineProperty(this, "name", { value: "ToolError", configurable: true, writable: true });
    this.code = code;
    this.data = data;
  }
}

/** Called by the child: the answer to a step, or why there is none. */
export function reply(step: number, ok: boolean, text: string): void {
  const call = waiting.get(step);
  if (!call) return;
  waiting.delete(step);
  if (ok) {
    call.resolve(parse(text));
    return;
  }
  const { message, code, data } = parse(text) as { message: string; code: string; data: unknown };
  call.reject(new ToolError(message, code, data));
}

/** Asks the host. Rejects with a `ToolError` when it refuses or fails, and when more is asked than a job may. */
export type HostCall = (method: string, payload: unknown) => Promise<unknown>;

export function hostCall(method: string, payload: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const text = stringify({ method, payload });
    const answer = String(tell(OP.call, text) ?? "no memory is left for the call");
    const step = Number(answer);
    if (step >= 0) waiting.set(step, { resolve, reject });
    else reject(new ToolError(answer, "TOO_LARGE", {}));
  });
}

export const tools = Object.freeze({
  call(name: unknown, args: unknown = {}): Promise<unknown> {
    if (typeof name !== "string") return Promise.reject(new TypeError("tools.call(name, args): the name must be text"));
    if (typeof args !== "object" || args === null || Array.isArray(args)) {
      return Promise.reject(new TypeError("tools.call(name, args): the arguments must be an object"));
    }
    return hostCall("tools.call", { name, args });
  },
});
