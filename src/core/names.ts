import { DynamicMcpError } from "./errors.ts";

/** What an author may write. Dots and colons group names; the wire spelling replaces both (see {@link wireName}). */
export const TOOL_NAME = /^[a-zA-Z][a-zA-Z0-9._:-]{0,63}$/;
export const TOOL_NAME_RULE = "a letter, then up to 63 letters, digits, dots, colons, underscores or hyphens";

/**
 * The spelling that every client accepts: `^[a-zA-Z0-9_-]{1,64}$`. Claude Desktop, OpenAI and Copilot reject a whole
 * list for one dot, so `text.upper` is listed as `text_upper`.
 *
 * It is also the key under which names are compared: two names with one wire spelling are the same name.
 */
export function wireName(name: string): string {
  return name.replace(/[.:]/g, "_");
}

/** @throws INVALID_NAME with the rule and the offending value (shortened) */
export function assertToolName(name: string): void {
  if (TOOL_NAME.test(name)) return;
  const shown = name.length > 80 ? `${name.slice(0, 77)}... (${name.length} characters)` : name;
  throw new DynamicMcpError("INVALID_NAME", `${JSON.stringify(shown)} cannot be a tool name: use ${TOOL_NAME_RULE}`);
}

/**
 * The candidate that is most like `word`, for "did you mean".
 *
 * @returns undefined when nothing is within a third of the word's length (at least 2 edits)
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = plain(word.slice(0, 100));
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance, given up at `cap`. */
function editDistance(a: string, b: string, cap: number): number {
  if (Math.abs(a.length - b.length) >= cap) return cap;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? cap;
}
