/**
 * Measures the quality of what the program answers, on data that lies beside the repository.
 *
 *   npm run eval -- search [--data <folder>] [--json]
 *
 * Exit code 1 when a target is missed; 0, with a line that says so, when the data is not there.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { readCorpora } from "./lib/data.ts";
import { evaluateSearch, type Report } from "./search.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: "string" }, json: { type: "boolean", default: false } },
});
const beside = path.resolve(import.meta.dirname, "..", "..", "shared", "eval");
const folder = options.data === undefined ? beside : path.resolve(options.data);

if (positionals.some((name) => name !== "search")) {
  console.error("npm run eval -- search [--data <folder>] [--json]");
  process.exitCode = 2;
} else if (!existsSync(path.join(folder, "toole", "corpus.jsonl"))) {
  const reason =
    options.data === undefined
      ? "no data in ../shared/eval; name its folder with --data"
      : `no data in ${options.data}`;
  console.error(`SKIPPED: ${reason}`);
  if (options.json) console.log(JSON.stringify({ skipped: reason }));
} else {
  const report = evaluateSearch(readCorpora(folder));
  console.log(options.json ? JSON.stringify(report, null, 2) : tableOf(report));
  if (report.checks.some(({ isMet }) => !isMet)) process.exitCode = 1;
}

function tableOf({ rows, meanNdcg10, checks }: Report): string {
  const number = (value: number) => value.toFixed(3).padStart(8);
  return [
    `${"set".padEnd(34)} queries     R@5    R@10 nDCG@10`,
    ...rows.map(
      ({ set, queries, recall5, recall10, ndcg10 }) =>
        `${set.padEnd(34)}${String(queries).padStart(8)}${number(recall5)}${number(recall10)}${number(ndcg10)}`,
    ),
    `${"mean nDCG@10 of the eight sets".padEnd(58)}${number(meanNdcg10)}`,
    "",
    ...checks.map(
      ({ what, value, target, isMet }) => `${isMet ? "ok    " : "MISSED"} ${what}: ${value} (target ${target})`,
    ),
  ].join("\n");
}
