import type { JsonObject } from "../core/json.ts";
import type { Budget } from "./budget.ts";

/** Of a longer line only what is around the word counts and is shown, so many characters to each side. */
const AROUND_CHARS = 400;

/**
 * Finds the lines that have all words, whatever their case, with their places.
 *
 * @param words in lower case
 * @param emit gets `{ offset, text }`, in the order of the text; may throw to end the search
 */
export function findLines(
  text: string,
  words: readonly string[],
  budget: Budget,
  emit: (match: JsonObject) => void,
): void {
  const rarest = words.reduce((a, b) => (b.length > a.length ? b : a));
  const pattern = new RegExp(rarest.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    budget.step();
    const { index } = found;
    const window = text.slice(Math.max(0, index - AROUND_CHARS), index + rarest.length + AROUND_CHARS);
    const at = Math.min(index, AROUND_CHARS);
    const start = window.lastIndexOf("\n", at) + 1 || lowHalf(window);
    const end = window.indexOf("\n", at);
    const line = window.slice(start, end < 0 ? window.length - highHalf(window) : end);
    const offset = index - at + start;
    pattern.lastIndex = Math.max(pattern.lastIndex, offset + line.length);
    const lower = line.toLowerCase();
    if (words.every((word) => lower.includes(word))) emit({ offset, text: line });
  }
}

/** @returns 1 when the text begins with the second half of a character */
function lowHalf(text: string): number {
  return /^[\uDC00-\uDFFF]/.test(text) ? 1 : 0;
}

/** @returns 1 when the text ends with the first half of a character */
function highHalf(text: string): number {
  return /[\uD800-\uDBFF]$/.test(text) ? 1 : 0;
}
