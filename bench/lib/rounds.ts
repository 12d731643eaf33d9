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

export type Demand = { atMost: number } | { atLeast: number };

export interface Row {
  what: string;
  unit: string;
  /** Median of the rounds. */
  value: number;
  floor: number;
  /** Median of the rounds' own ratios, value to floor. */
  ratio: number;
  /** Absent: a figure that is only told. */
  demand?: Demand;
  /** What we want to reach; told, and no demand. */
  goal?: Demand;
  /** (largest - smallest) / median of the rounds' ratios: how far to trust it. */
  spread: number;
  /** Why there is no figure. */
  skipped?: string;
}

/** What a row is before it is measured. */
export type RowPlan = Pick<Row, "what" | "unit" | "demand" | "goal">;

/** @param values one per round, as many as `floors` */
export function compare(
  row: RowPlan,
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

export const skip = (row: RowPlan, skipped: string): Row => ({
  ...row,
  value: NaN,
  floor: NaN,
  ratio: NaN,
  spread: NaN,
  skipped,
});

/**
 * A part is missing that all of these rows need.
 *
 * @throws Error instead, where every part is required (`DYNAMIC_MCP_REQUIRE_PARTS=1`)
 */
export function skipAll(rows: Readonly<Record<string, RowPlan>>, why: string): Row[] {
  if (process.env["DYNAMIC_MCP_REQUIRE_PARTS"] === "1") throw new Error(why);
  return Object.values(rows).map((row) => skip(row, why));
}

export const meets = ({ ratio, demand }: Row) => demand === undefined || reaches(ratio, demand);

export const reaches = (ratio: number, demand: Demand) =>
  "atMost" in demand ? ratio <= demand.atMost : ratio >= demand.atLeast;
