/** At most so many terms are looked at as candidates, for one word of a query. */
const MAX_CANDIDATES = 4_000;

/** All terms of the index, and those that are written much like a word. Terms get numbers from 0, in order of adding. */
export interface Dictionary {
  readonly size: number;
  idOf(term: string): number | undefined;
  /** Adds it when it is new. */
  add(term: string): number;
  termOf(id: number): string;
  /** Terms that have `part` (at least 3 characters) within them, at the start, at the end or in the middle. */
  containing(part: string): number[];
  /** Terms one or (from 8 characters on) two edits away, the closest first. */
  similarTo(word: string): { id: number; distance: number }[];
}

export function createDictionary(): Dictionary {
  const ids = new Map<string, number>();
  const terms: string[] = [];
  /** Terms by each three characters of them, their ends marked. Made when it is first needed, then kept up. */
  const byGram = new Map<string, number[]>();
  let indexed = 0;

  function index(): void {
    for (; indexed < terms.length; indexed++) {
      for (const gram of gramsOf(terms[indexed] ?? "")) {
        const list = byGram.get(gram);
        if (list) list.push(indexed);
        else byGram.set(gram, [indexed]);
      }
    }
  }

  return {
    get size() {
      return terms.length;
    },
    idOf: (term) => ids.get(term),
    add(term) {
      const known = ids.get(term);
      if (known !== undefined) return known;
      ids.set(term, terms.length);
      return terms.push(term) - 1;
    },
    termOf: (id) => terms[id] ?? "",

    containing(part) {
      index();
      let rarest: readonly number[] | undefined;
      for (let at = 0; at + 3 <= part.length; at++) {
        const list = byGram.get(part.slice(at, at + 3)) ?? [];
        if (!rarest || list.length < rarest.length) rarest = list;
      }
      return (rarest ?? []).slice(0, MAX_CANDIDATES).filter((id) => terms[id]?.includes(part));
    },

    similarTo(word) {
      index();
      const most = word.length >= 8 ? 2 : 1;
      if (/\d/.test(word)) return [];
      const grams = [...gramsOf(word)];
      const shared = new Map<number, number>();
      for (const gram of grams) {
        const list = byGram.get(gram) ?? [];
        if (list.length > MAX_CANDIDATES) continue;
        for (const id of list) shared.set(id, (shared.get(id) ?? 0) + 1);
      }
      // One edit touches at most three grams (four when it swaps two letters).
      const least = Math.max(1, grams.length - 4 * most);
      const found: { id: number; distance: number }[] = [];
      for (const [id, count] of shared) {
        const term = terms[id] ?? "";
        if (count < least || Math.abs(term.length - word.length) > most) continue;
        const distance = editDistance(word, term, most);
        // Two edits are many for a word that also starts otherwise.
        if (distance <= most && (distance === 1 || term[0] === word[0])) found.push({ id, distance });
      }
      return found.toSorted((a, b) => a.distance - b.distance || ((terms[a.id] ?? "") < (terms[b.id] ?? "") ? -1 : 1));
    },
  };
}

function gramsOf(term: string): Set<string> {
  const marked = `^${term}$`;
  const grams = new Set<string>();
  for (let at = 0; at + 3 <= marked.length; at++) grams.add(marked.slice(at, at + 3));
  return grams;
}

/** Insertions, deletions, substitutions and swaps of neighbours; more than `most` is given as `most + 1`. */
function editDistance(a: string, b: string, most: number): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j - 1] ?? 0) + (isSame ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (!isSame && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next.push(cost);
      best = Math.min(best, cost);
    }
    if (best > most) return most + 1;
    [before, row] = [row, next];
  }
  return Math.min(row[b.length] ?? 0, most + 1);
}
