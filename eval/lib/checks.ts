import type { SearchDocument, SearchIndex } from "../../src/search/search.ts";

/** Nothing in it is a word, or says anything. */
export const NONSENSE = [
  "asdfghjkl qwertyuiop",
  "xyzzy plugh frobozz",
  "zxcv",
  "the of and to with",
  "please can you do it for me",
  "!!! ??? ...",
  "",
  "blorptastic wugga fnord",
];

/** Questions for which servers of files, maps, markets and papers have no tool. */
export const OFF_TOPIC = [
  "why is the sky blue",
  "how do I tie my shoelaces",
  "do penguins have knees",
  "bake a chocolate cake",
  "tell me a joke about elephants",
  "knit a sweater for my nephew",
  "which came first, the chicken or the egg",
  "who won the battle of Waterloo",
  "how many teaspoons are in a cup",
  "trim my beard",
];

/** @returns share of documents whose name, in three spellings, finds one of that very name first */
export function exactNameShare(index: SearchIndex, documents: readonly SearchDocument[]): number {
  const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const nameOf = new Map(documents.map(({ key, name }) => [key, plain(name)]));
  const sample = documents.filter((_, position) => documents.length < 1_000 || position % 20 === 0);
  const found = sample.filter(({ name, server }) => {
    const spellings = [name, name.replace(/[_-]+/g, " "), ...(server === undefined ? [] : [`${server}__${name}`])];
    return spellings.every((query) => nameOf.get(index.search(query, { limit: 1 }).hits[0]?.key ?? "") === plain(name));
  });
  return found.length / sample.length;
}

/** @returns share of the queries that have no hits */
export function emptyShare(index: SearchIndex, queries: readonly string[]): number {
  return queries.filter((query) => index.search(query, { limit: 5 }).hits.length === 0).length / queries.length;
}
