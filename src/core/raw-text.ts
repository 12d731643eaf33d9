/*
 * The JSON text that a result came as. Who passes a result on untouched can pass on its text: nothing is written anew,
 * and what JavaScript's numbers cannot hold stays as it was.
 */
const TEXTS = new WeakMap<object, string>();

/** @param text JSON text of exactly `result` */
export function keepRawText(result: object, text: string): void {
  TEXTS.set(result, text);
}

/** Of this very object; a changed copy has none. */
export function rawTextOf(result: object): string | undefined {
  return TEXTS.get(result);
}
