import type { SearchDocument, SearchIndex } from "../../src/search/search.ts";

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

/** @returns share of the queries that fit no more than `most` documents */
export function shareWithAtMost(most: number, index: SearchIndex, queries: readonly string[]): number {
  return queries.filter((query) => index.search(query, { limit: 5 }).total <= most).length / queries.length;
}
