/**
 * What counts for how much. Found by `npm run eval -- search`, where most of them may move by a third without a
 * difference that matters.
 */
export const WEIGHTS = {
  /** BM25: how fast more of the same word stops to count. */
  saturation: 2.5,
  /** Of other terms that stand for a word of the query, against 1 for the word itself. */
  synonym: 0.45,
  prefix: 0.4,
  infix: 0.15,
  misspelt: 0.3,
  /** Of words that people wrap requests in. */
  wrapping: 0.3,
  /** Of lessons: at most as if a word were so often in the description. */
  lessons: 0.4,
  /** Up to here, a word that is seldom in a document proves less that it fits. */
  passing: 1.5,
  /** Of names within a path or address: what the file is called says little about what to do with it. */
  withinPath: 0.3,
  /** Share of a score that depends on how much of the query was found at all. */
  coverage: 0.5,
  /** For a name of which several words were asked for: up to so much more. */
  fullName: 0.6,
  /** For tools of a server that fits the whole query: up to so much of the best score. */
  server: 0.5,
  /** More of that for long queries, which ask for several tools of one server. */
  serverOfTask: 0.5,
  serverDescription: 3,
  /** Takes from servers what they have only because they have many tools. */
  serverSize: 0.5,
};
