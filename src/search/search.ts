/**
 * Finds tools and servers by words. Pure: no I/O, no clock; the same documents and queries give the same hits, in any
 * order of adding. Made for 10,000 documents that change one at a time.
 *
 * @see `reference` of the evaluation: npm run eval -- search
 */
export interface SearchIndex {
  /** Adds a document, or replaces the one with this key. */
  set(document: SearchDocument): void;
  /** Safe for unknown keys. */
  remove(key: string): void;
  readonly size: number;
  search(query: string, options: SearchOptions): SearchHits;
  /** A search for `query` led to a call of this document that worked: later ones like it find it better. */
  learn(query: string, key: string): void;
}

export interface SearchDocument {
  /** Unique. */
  key: string;
  /** As people know it: `read_text_file`, `GitHub`. */
  name: string;
  title?: string;
  description?: string;
  /** Names (and short descriptions) of its parameters. */
  parameters?: readonly string[];
  /** Of a tool: its server's name and description. */
  server?: string;
  serverDescription?: string;
  /** Of a server: categories and tags; names and first words of its tools. */
  tags?: readonly string[];
  tools?: readonly { name: string; description?: string }[];
}

export interface SearchOptions {
  /** At most so many hits, from 1. */
  limit: number;
  /** Documents that may be found, by key; default: all. Asked only for candidates. */
  accepts?: (key: string) => boolean;
  /** How many `accepts` takes, about; default: all. The fewer, the less has to fit: less is found by chance. */
  among?: number;
}

export interface SearchHits {
  /** Best first. Empty when nothing fits, rather than filled with what does not. */
  hits: { key: string; score: number }[];
  /** How many fit at all. */
  total: number;
}
