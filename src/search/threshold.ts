/** Where the line is: see {@link neededEvidence}. */
const CHANCE_FROM = 4.3;
const UNSEEN = 100;
const SHORT = 0.12;
const PER_WORD = 0.35;
const NEAR = 0.08;
/** Share of the evidence that is enough beside one that has all of it. */
export const BESIDE_OTHERS = 0.7;

/**
 * How much evidence a document has to have to be a hit at all. The more documents, the more of any query is found in one
 * of them by chance. Short queries have to be proven by a good part; of long ones, which tell a story, a few telling
 * words are enough. Measured with questions that no tool here answers, against those that have an answer.
 *
 * @param asked words of the query, without those that say nothing
 * @param documents that may be found
 * @returns share of the query, by rarity of the words
 */
export function neededEvidence(asked: number, documents: number): number {
  const chance = Math.log(documents + UNSEEN) - CHANCE_FROM;
  return chance * Math.min(SHORT, PER_WORD / Math.max(asked, 1) ** 1.5);
}

/** What is far below the best is there by accident. @returns the least score that counts */
export const leastOf = (best: number): number => best * NEAR;
