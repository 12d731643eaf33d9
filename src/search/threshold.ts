/** Where the line is: see {@link isFitting}. */
const SHORT = 0.22;
const PER_WORD = 0.6;
const NEAR = 0.08;

/**
 * Whether the best hit fits at all. Short queries have to be covered by a good part; of long ones, which tell a story,
 * a few telling words are enough. Measured with questions that no tool here answers: they cover half as much as
 * questions of the same length that have an answer.
 *
 * @param coverage of the best hit, in [0, 1], by rarity of the words
 * @param asked words of the query, without those that say nothing
 */
export function isFitting(coverage: number, asked: number): boolean {
  return coverage >= Math.min(SHORT, PER_WORD / Math.max(asked, 1));
}

/** What is far below the best is there by accident. @returns the least score that counts */
export const leastOf = (best: number): number => best * NEAR;
