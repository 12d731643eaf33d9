/** A change of a source text: what stands from `start` up to `end` becomes `text`. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** @param edits in any order; one that lies inside of another is left out. Of two at the same place the first comes first */
export function applyEdits(source: string, edits: readonly Edit[]): string {
  const sorted = edits
    .map((edit, order) => ({ ...edit, order }))
    .toSorted((a, b) => a.start - b.start || isLong(a) - isLong(b) || b.end - a.end || a.order - b.order);
  let result = "";
  let at = 0;
  for (const { start, end, text } of sorted) {
    if (start < at) continue;
    result += source.slice(at, start) + text;
    at = end;
  }
  return result + source.slice(at);
}

/** What is only put in comes before what is replaced at the same place. */
const isLong = ({ start, end }: Edit) => Number(end > start);

interface Token {
  start: number;
  end: number;
  type: unknown;
}

/** Characters that do not grow into something else with what stands beside them; with {@link GROWS} as exceptions. */
const ALONE = /[(){}[\];,=:?!<>&|^%~*"'`]/;
/** `<!--` and `-->` are comments in a script; `?.` is one token. */
const GROWS = /^(?:<!|->|\?\.)$/;
const LINE_END = /[\n\r\u2028\u2029]/;

/**
 * Takes out comments and white space, and nothing that means something: a line's end between two tokens stays a line's
 * end.
 *
 * @param tokens as the parser gives them, comments among them, in order
 */
export function shorten(source: string, tokens: readonly Token[]): Edit[] {
  const edits: Edit[] = [];
  let at = 0;
  for (const { start, end, type } of tokens) {
    if (type === "CommentBlock" || type === "CommentLine") continue;
    if (start > at) {
      const gap = source.slice(at, start);
      const [before, after] = [source[at - 1] ?? ";", source[start] ?? ";"];
      const mayMeet = (ALONE.test(before) || ALONE.test(after)) && !GROWS.test(before + after);
      const least = LINE_END.test(gap) ? (/[({[;,]/.test(before) ? "" : "\n") : mayMeet ? "" : " ";
      if (least !== gap) edits.push({ start: at, end: start, text: at === 0 ? "" : least });
    }
    at = Math.max(at, end);
  }
  return edits;
}
