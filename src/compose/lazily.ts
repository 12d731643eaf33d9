import { once } from "../core/once.ts";

/** Something whose code is loaded when it is first needed: a start that never needs it does not pay for it. */
export interface Lazy<T> {
  get(): Promise<T>;
  /** What was made, if it was: to be closed. */
  made(): Promise<T | undefined>;
}

export function lazily<T>(make: () => Promise<T>): Lazy<T> {
  let making: Promise<T> | undefined;
  return {
    get: once(() => (making = make())),
    made: async () => making?.catch(() => undefined),
  };
}
