import type { Language } from "./language.ts";
import type { Postings } from "./postings.ts";
import { WEIGHTS } from "./weights.ts";

/** One thing that a query asks for: a word, with all terms that may stand for it. */
export interface Concept {
  /** Of the word itself, or of the one that it is likely to be a misspelling of; undefined when no document has it. */
  id: number | undefined;
  /** How much it matters, before its rarity. */
  weight: number;
  /** Terms that may stand for it, and how well each does; 1 for the word itself. */
  variants: ReadonlyMap<number, number>;
}

const MAX_QUERY_CHARS = 4_000;
const MAX_CONCEPTS = 80;
const MAX_VARIANTS = 16;
/** Shorter words are within too many others. */
const MIN_PART_CHARS = 4;
/** Shorter words are one letter away from too many others. */
const MIN_MISSPELT_CHARS = 5;
/** What many documents have needs no other words that it is a part of. */
const MAX_RARE = 3;

const ADDRESS = /https?:\/\/[^\s"'<>]+/gi;
const PATH = /(?<![\w:/\\.~-])(?:~|\.{1,2}|[a-z]:)?[\\/][\w.~-]+(?:[\\/][\w.~-]+)+/gi;

/** What a query asks for, in the order of its words; words that say nothing are left out. */
export function analyse(query: string, language: Language, postings: Postings): Concept[] {
  const { dictionary } = postings;
  const text = query.slice(0, MAX_QUERY_CHARS);
  const addresses = text.match(ADDRESS) ?? [];
  const rest = text.replace(ADDRESS, " ");
  const paths = rest.match(PATH) ?? [];
  const concepts = new Map<string, Concept>();

  function addAll(words: string, share: number): void {
    for (const { term, word, isPiece, hasPieces } of language.tokens(words)) {
      if (concepts.size >= MAX_CONCEPTS) return;
      if (concepts.has(term)) continue;
      const known = dictionary.idOf(term);
      const id = known !== undefined && postings.isUsed(known) ? known : undefined;
      // Of an identifier that no document has, only its pieces are looked for.
      if (hasPieces && !isPiece && id === undefined) continue;
      const weight = share * (language.isWrapping(term) ? WEIGHTS.wrapping : 1);
      const variants = variantsOf(term, id, language, postings);
      const meant = id === undefined && word.length >= MIN_MISSPELT_CHARS ? misspeltAs(term, postings) : [];
      for (const { id: other, distance } of meant) {
        variants.set(other, Math.max(variants.get(other) ?? 0, WEIGHTS.misspelt / distance));
      }
      concepts.set(term, { id: id ?? meant.find(({ distance }) => distance === 1)?.id, weight, variants });
    }
  }

  addAll(rest.replace(PATH, " "), 1);
  if (paths.length > 0) addAll("file", 1);
  if (addresses.length > 0) addAll("url", 1);
  addAll([...paths, ...addresses].join(" "), WEIGHTS.withinPath);
  return [...concepts.values()];
}

const misspeltAs = (term: string, { dictionary, isUsed }: Postings) =>
  dictionary.similarTo(term).filter(({ id }) => isUsed(id));

function variantsOf(
  term: string,
  self: number | undefined,
  language: Language,
  postings: Postings,
): Map<number, number> {
  const { dictionary } = postings;
  const found = new Map<number, number>();
  const add = (id: number | undefined, weight: number) => {
    if (id !== undefined && (found.get(id) ?? 0) < weight) found.set(id, weight);
  };
  add(self, 1);
  for (const other of language.synonymsOf(term)) add(dictionary.idOf(other), WEIGHTS.synonym);
  if (term.length >= MIN_PART_CHARS && (self === undefined || postings.documentsWith(self) <= MAX_RARE)) {
    const longer = dictionary
      .containing(term)
      .map((id) => ({ id, text: dictionary.termOf(id) }))
      .filter(({ id, text }) => id !== self && text.length <= term.length * 3 && postings.isUsed(id))
      .toSorted((a, b) => a.text.length - b.text.length || (a.text < b.text ? -1 : 1));
    for (const { id, text } of longer.slice(0, MAX_VARIANTS)) {
      const kind = text.startsWith(term) ? WEIGHTS.prefix : WEIGHTS.infix;
      add(id, kind * Math.sqrt(term.length / text.length));
    }
  }
  return found;
}
