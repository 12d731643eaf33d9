/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/**
 * Runs each candidate once per round, every other round in reverse order, so that whatever drifts (heat, neighbours)
 * falls on all of them alike.
 */
export async function inTurn<K extends string, T>(
  rounds: number,
  candidates: Record<K, (round: number) => Promise<T>>,
): Promise<Record<K, T[]>> {
  const names = Object.keys(candidates) as K[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, T[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) results[name].push(await candidates[name](round));
  }
  return results;
}

export interface Row {
  what: string;
  unit: string;
  /** Median of the rounds. */
  value: number;
  floor: number;
  /** Median of the rounds' own ratios, value to floor. */
  ratio: number;
  demand: { atMost: number } | { atLeast: number };
  /** (largest - smallest) / median of the rounds' ratios: how far to trust it. */
  spread: number;
  /** Why there is no figure. */
  skipped?: string;
}

/** @param values one per round, as many as `floors` */
export function compare(
  row: Pick<Row, "what" | "unit" | "demand">,
  values: readonly number[],
  floors: readonly number[],
  ratioOf = (value: number, floor: number) => value / floor,
): Row {
  const ratios = values.map((value, round) => ratioOf(value, floors[round] ?? NaN));
  const ratio = median(ratios);
  return {
    ...row,
    value: median(values),
    floor: median(floors),
    ratio,
    spread: (Math.max(...ratios) - Math.min(...ratios)) / Math.abs(ratio),
  };
}

export const skip = (row: Pick<Row, "what" | "unit" | "demand">, skipped: string): Row => ({
  ...row,
  value: NaN,
  floor: NaN,
  ratio: NaN,
  spread: NaN,
  skipped,
});

export const meets = ({ ratio, demand }: Row) =>
  "atMost" in demand ? ratio <= demand.atMost : ratio >= demand.atLeast;
