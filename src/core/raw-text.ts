/*
 * The JSON text that a result came as. Who passes a result on untouched can pass on its text: nothing is written anew,
 * and what JavaScript's numbers cannot hold stays as it was.
 *
 * It lies on the object itself, where nobody who lists, copies or writes the object sees it. A WeakMap would keep the
 * text of every call until the next full collection.
 */
const RAW = Symbol("JSON text");

interface WithText {
  readonly [RAW]?: string;
}

/** @param text JSON text of exactly `result` */
export function keepRawText(result: object, text: string): void {
  Object.defineProperty(result, RAW, { value: text, configurable: true });
}

/** Of this very object; a changed copy has none. */
export function rawTextOf(result: object): string | undefined {
  return (result as WithText)[RAW];
}
