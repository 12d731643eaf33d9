import { createWordLists } from "./stop-words.ts";
import { readSynonyms } from "./synonyms.ts";
import { createTokenizer, type Token } from "./tokens.ts";

/** What we know of words, whatever the documents are. */
export interface Language {
  /** Without words that say nothing. */
  tokens(text: string): readonly Token[];
  /** Of a term: people wrap what they want in it. */
  isWrapping(term: string): boolean;
  /** Other terms that may stand for this one. */
  synonymsOf(term: string): readonly string[];
}

const NONE: readonly string[] = [];

export function createLanguage(): Language {
  const { stop, wrapping } = createWordLists();
  const synonyms = readSynonyms();
  const tokenize = createTokenizer();
  return {
    tokens: (text) => tokenize(text).filter(({ word }) => !stop.has(word)),
    isWrapping: (term) => wrapping.has(term),
    synonymsOf: (term) => synonyms.get(term) ?? NONE,
  };
}
