/** As many characters of a secret in a row do not come about by chance. */
export const WINDOW_CHARS = 16;
const MIN_SLOTS = 4_096;
/** Odd; of a rolling hash modulo 2^32. */
const BASE = 0x01000193;
const BASE_TO_WINDOW = Array.from({ length: WINDOW_CHARS }).reduce((power: number) => Math.imul(power, BASE), 1);

/**
 * Makes a function that finds runs: stretches of a text of which every {@link WINDOW_CHARS} characters are in one of the
 * forms, wherever it was cut. It reads the text once; what hostile text can do is to cost a compare per character.
 *
 * @param forms each at least {@link WINDOW_CHARS} long; memory is 8 to 16 bytes for each of their characters
 * @returns calls `onRun` with the places of each run, in order; they may overlap by less than a window
 */
export function createRunFinder(
  forms: readonly string[],
): (text: string, onRun: (start: number, end: number) => void) => void {
  const all = forms.join("");
  const bits = Math.ceil(Math.log2(Math.max(MIN_SLOTS, 2 * all.length)));
  const mask = 2 ** bits - 1;
  /** The place of each window in `all`, plus 1; open addressing. */
  const places = new Int32Array(mask + 1);

  /** The slot that holds this window of `text`, or the free one where it would be. */
  function slotOf(text: string, at: number, hash: number): number {
    let slot = Math.imul(hash, 0x9e3779b1) >>> (32 - bits);
    for (;;) {
      const place = places[slot] ?? 0;
      if (place === 0 || isSameWindow(all, place - 1, text, at)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  let offset = 0;
  for (const form of forms) {
    const from = offset;
    eachWindow(form, (at, hash) => {
      places[slotOf(form, at, hash)] = from + at + 1;
    });
    offset += form.length;
  }

  return (text, onRun) => {
    let start = -1;
    let last = 0;
    eachWindow(text, (at, hash) => {
      if ((places[slotOf(text, at, hash)] ?? 0) === 0) return;
      if (start >= 0 && last !== at - 1) {
        onRun(start, last + WINDOW_CHARS);
        start = -1;
      }
      if (start < 0) start = at;
      last = at;
    });
    if (start >= 0) onRun(start, last + WINDOW_CHARS);
  };
}

function eachWindow(text: string, onWindow: (at: number, hash: number) => void): void {
  let hash = 0;
  for (let next = 0; next < text.length; next++) {
    hash = (Math.imul(hash, BASE) + text.charCodeAt(next)) | 0;
    if (next >= WINDOW_CHARS) hash = (hash - Math.imul(text.charCodeAt(next - WINDOW_CHARS), BASE_TO_WINDOW)) | 0;
    if (next >= WINDOW_CHARS - 1) onWindow(next - WINDOW_CHARS + 1, hash);
  }
}

function isSameWindow(one: string, at: number, other: string, otherAt: number): boolean {
  for (let n = 0; n < WINDOW_CHARS; n++) {
    if (one.charCodeAt(at + n) !== other.charCodeAt(otherAt + n)) return false;
  }
  return true;
}
