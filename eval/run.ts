/**
 * Measures the quality of what the program answers, on data that lies beside the repository.
 *
 *   npm run eval -- search [--data <folder>] [--json]
 *   npm run eval -- search --folds <count> [--json] [--before <file>]
 *
 * With folds: how even the figures are over parts of the queries, and, against what `--json` wrote before a change, on
 * how many of them it helps. Exit code 1 when a target is missed; 0, with a line that says so, when the data is not there.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { evaluateFolds, foldTableOf, type FoldRow } from "./folds.ts";
import { readCorpora } from "./lib/data.ts";
import { evaluateSearch, type Report } from "./search.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string" },
    json: { type: "boolean", default: false },
    folds: { type: "string" },
    before: { type: "string" },
  },
});
const beside = path.resolve(import.meta.dirname, "..", "..", "shared", "eval");
const folds = options.folds === undefined ? undefined : Number(options.folds);
const folder = options.data === undefined ? beside : path.resolve(options.data);

if (positionals.some((name) => name !== "search") || (folds !== undefined && !(folds >= 2 && folds <= 20))) {
  console.error("npm run eval -- search [--data <folder>] [--json] [--folds <2 to 20> [--before <file>]]");
  process.exitCode = 2;
} else if (!existsSync(path.join(folder, "toole", "corpus.jsonl"))) {
  const reason =
    options.data === undefined
      ? "no data in ../shared/eval; name its folder with --data"
      : `no data in ${options.data}`;
  console.error(`SKIPPED: ${reason}`);
  if (options.json) console.log(JSON.stringify({ skipped: reason }));
} else if (folds !== undefined) {
  const rows = evaluateFolds(readCorpora(folder), folds);
  const before =
    options.before === undefined ? undefined : (JSON.parse(readFileSync(options.before, "utf8")) as FoldRow[]);
  console.log(options.json ? JSON.stringify(rows, null, 2) : foldTableOf(rows, before));
} else {
  const report = evaluateSearch(readCorpora(folder));
  console.log(options.json ? JSON.stringify(report, null, 2) : tableOf(report));
  if (report.checks.some(({ isMet }) => !isMet)) process.exitCode = 1;
}

function tableOf({ rows, meanNdcg10, checks }: Report): string {
  const number = (value: number) => value.toFixed(3).padStart(8);
  return [
    `${"set".padEnd(34)} queries     R@5    R@10 nDCG@10 nothing`,
    ...rows.map(
      ({ set, queries, recall5, recall10, ndcg10, lost }) =>
        `${set.padEnd(34)}${String(queries).padStart(8)}${number(recall5)}${number(recall10)}${number(ndcg10)}${number(lost)}`,
    ),
    `${"mean nDCG@10 of the eight sets".padEnd(58)}${number(meanNdcg10)}`,
    "",
    ...checks.map(
      ({ what, value, target, isMet }) => `${isMet ? "ok    " : "MISSED"} ${what}: ${value} (target ${target})`,
    ),
  ].join("\n");
}
