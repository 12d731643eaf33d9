import { tell } from "./bridge.ts";
import { OP } from "./ops.ts";

/** Timers: callbacks stay here, the child keeps the times and calls `fire`. */

interface Timer {
  run: () => unknown;
  /** Set for intervals. */
  everyMs?: number;
}

const TIMERS = 10_000;
const MAX_MS = 2 ** 31 - 1;
const timers = new Map<number, Timer>();
let lastId = 0;

/** Called by the child when a timer is due. */
export function fire(id: number): void {
  const timer = timers.get(id);
  if (!timer) return;
  if (timer.everyMs === undefined) timers.delete(id);
  else tell(OP.timer, `${id} ${timer.everyMs}`);
  timer.run();
}

function start(handler: unknown, delay: unknown, args: unknown[], repeats: boolean): number {
  if (typeof handler !== "function") throw new TypeError("a timer needs a function to call");
  if (timers.size >= TIMERS) throw new RangeError(`more than ${TIMERS} timers at once`);
  const number = Number(delay);
  const ms = number >= 1 && number <= MAX_MS ? Math.trunc(number) : 1;
  const id = ++lastId;
  const run = () => Reflect.apply(handler as () => unknown, undefined, args) as unknown;
  timers.set(id, repeats ? { run, everyMs: ms } : { run });
  tell(OP.timer, `${id} ${ms}`);
  return id;
}

function clear(id: unknown): void {
  if (timers.delete(Number(id))) tell(OP.clear, String(Number(id)));
}

export const timerGlobals = {
  setTimeout: (handler: unknown, delay?: unknown, ...args: unknown[]) => start(handler, delay, args, false),
  setInterval: (handler: unknown, delay?: unknown, ...args: unknown[]) => start(handler, delay, args, true),
  setImmediate: (handler: unknown, ...args: unknown[]) => start(handler, 1, args, false),
  clearTimeout: clear,
  clearInterval: clear,
  clearImmediate: clear,
  queueMicrotask: (callback: unknown) => {
    if (typeof callback !== "function") throw new TypeError("queueMicrotask needs a function to call");
    void Promise.resolve().then(() => (callback as () => unknown)());
  },
};
