import { formsOf, MIN_HIDDEN_CHARS } from "./secret-forms.ts";
import { createRunFinder, WINDOW_CHARS } from "./secret-runs.ts";

/** Where a text may have been cut by a limit, so that only a part of a secret is left there. */
export type CutAt = "end" | "both";

/** From one place of a text to another. */
export type Span = readonly [start: number, end: number];

/** Tokens of one issuer begin alike: as much of one is no accident. */
const MIN_RUN_CHARS = 64;
const CUT_MARK = "...";
const REPLACEMENT_CHARACTER = 0xfffd;

/**
 * Makes a function that finds known secrets in a text, in all their forms. Without `cut` it finds whole ones, and pieces
 * of at least 64 characters. In a text that was printed or thrown, and so may have been cut, it finds also
 *
 * - pieces of at least 16 characters, anywhere;
 * - the beginning of one, at least 4 characters, where the text ends and before `...`;
 * - with `both` the end of one where the text begins: it may go on from the one before.
 *
 * @returns spans in order, which do not touch each other; work grows with the text alone, not with what is in it
 */
export function createSecretFinder(secrets: readonly string[]): (text: string, cut?: CutAt) => Span[] {
  const forms = [...new Set(secrets.flatMap(formsOf))];
  if (forms.length === 0) return () => [];
  const short = forms.filter((form) => form.length < WINDOW_CHARS);
  const long = forms.filter((form) => form.length >= WINDOW_CHARS);
  const findRuns = createRunFinder(long);
  const longByHead = Map.groupBy(long, (form) => form.slice(0, WINDOW_CHARS));
  let edges: ReturnType<typeof createEdges> | undefined;

  function findWhole(text: string, start: number, end: number, found: Span[]): void {
    for (let at = start; at + WINDOW_CHARS <= end; at++) {
      for (const form of longByHead.get(text.slice(at, at + WINDOW_CHARS)) ?? []) {
        if (!text.startsWith(form, at)) continue;
        found.push([at, at + form.length]);
        if (at + form.length === end) return;
      }
    }
  }

  return (text, cut) => {
    const found: Span[] = [];
    for (const form of short) {
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) found.push([at, at + form.length]);
    }
    if (long.length > 0) {
      findRuns(text, (start, end) => {
        if (cut !== undefined || end - start >= MIN_RUN_CHARS) found.push([start, end]);
        else findWhole(text, start, end, found);
      });
    }
    if (cut !== undefined) {
      edges ??= createEdges(forms);
      edges.findBeginnings(text, found);
      if (cut === "both") edges.findEnd(text, found);
    }
    return merged(found);
  };
}

/** Pieces too short for a run, which count only where something was cut. */
function createEdges(forms: readonly string[]) {
  const beginnings = new Set<string>();
  const ends = new Set<string>();
  for (const form of forms) {
    for (let chars = MIN_HIDDEN_CHARS; chars < Math.min(WINDOW_CHARS, form.length); chars++) {
      beginnings.add(form.slice(0, chars));
      ends.add(form.slice(-chars));
    }
  }
  // Rules of `-----` and the like are in many texts, and tell nothing.
  for (const pieces of [beginnings, ends]) {
    for (const piece of pieces) if (/^(.)\1*$/s.test(piece)) pieces.delete(piece);
  }

  function findBeginning(text: string, cutAt: number, found: Span[]): void {
    const end = isHalf(text.charCodeAt(cutAt - 1)) ? cutAt - 1 : cutAt;
    for (let chars = Math.min(WINDOW_CHARS - 1, end); chars >= MIN_HIDDEN_CHARS; chars--) {
      if (beginnings.has(text.slice(end - chars, end))) return void found.push([end - chars, end]);
    }
  }

  return {
    findBeginnings(text: string, found: Span[]): void {
      for (let at = text.indexOf(CUT_MARK); at >= 0; at = text.indexOf(CUT_MARK, at + CUT_MARK.length)) {
        findBeginning(text, at, found);
      }
      findBeginning(text, text.length, found);
    },
    findEnd(text: string, found: Span[]): void {
      const start = isHalf(text.charCodeAt(0)) ? 1 : 0;
      for (let chars = WINDOW_CHARS - 1; chars >= MIN_HIDDEN_CHARS; chars--) {
        if (ends.has(text.slice(start, start + chars))) return void found.push([start, start + chars]);
      }
    },
  };
}

/** A cut between the two halves of a character, or between its bytes, leaves one of these. */
function isHalf(code: number): boolean {
  return (code >= 0xd800 && code <= 0xdfff) || code === REPLACEMENT_CHARACTER;
}

function merged(spans: Span[]): Span[] {
  if (spans.length < 2) return spans;
  const apart: [number, number][] = [];
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    const before = apart.at(-1);
    if (before && start <= before[1]) before[1] = Math.max(before[1], end);
    else apart.push([start, end]);
  }
  return apart;
}
