import { createHash } from "node:crypto";
import type { Corpora, Query } from "./lib/data.ts";
import { mean, openSets, scoresOf } from "./lib/sets.ts";

/** One measure of one set, fold by fold. */
export interface FoldRow {
  set: string;
  measure: "R@5" | "nDCG@10";
  folds: number[];
}

/**
 * The same measures on parts of the queries: a change that helps on one part alone fits these queries, not searching.
 * Queries that come of one task are always in one fold, in all sets.
 *
 * @param count of folds, from 2
 */
export function evaluateFolds(corpora: Corpora, count: number): FoldRow[] {
  const { plain, learnt } = openSets(corpora);
  return [...plain, ...learnt].flatMap(({ name, index, queries }) => {
    const folds = Array.from({ length: count }, (_, fold) =>
      queries.filter((query) => foldOf(query, count) === fold).map((query) => scoresOf(index, query)),
    );
    return [
      { set: name, measure: "R@5", folds: folds.map((scores) => mean(scores.map(({ recall5 }) => recall5))) },
      { set: name, measure: "nDCG@10", folds: folds.map((scores) => mean(scores.map(({ ndcg10 }) => ndcg10))) },
    ] satisfies FoldRow[];
  });
}

/** By what it was made of: `task-99d7541a`, `step-99d7541a-0` and `live-99d7541a` are one. */
function foldOf({ id }: Query, count: number): number {
  const origin = id.replace(/^[a-z]+-/, "").replace(/[-_]\d+$/, "");
  return createHash("sha256").update(`fold ${origin}`).digest().readUInt32BE() % count;
}

/** A line a row. With `before`: what has changed since, and on how many folds for the better and for the worse. */
export function foldTableOf(rows: readonly FoldRow[], before?: readonly FoldRow[]): string {
  const number = (value: number) => value.toFixed(3).padStart(8);
  const change = (value: number) => (Math.abs(value) < 5e-4 ? "." : value.toFixed(3)).padStart(8);
  return rows
    .map(({ set, measure, folds }) => {
      const start = `${set.padEnd(32)} ${measure.padEnd(8)}`;
      const old = before?.find((row) => row.set === set && row.measure === measure)?.folds;
      if (!old) return `${start}${folds.map(number).join("")}  mean${number(mean(folds))}`;
      const changes = folds.map((value, fold) => value - (old[fold] ?? 0));
      const better = changes.filter((each) => each > 5e-4).length;
      const worse = changes.filter((each) => each < -5e-4).length;
      return `${start}${changes.map(change).join("")}  mean${change(mean(changes))}  better ${better}, worse ${worse}`;
    })
    .join("\n");
}
