import { meets, reaches, type Demand, type Row } from "./rounds.ts";

const HEAD = ["what", "value", "floor", "ratio", "demand", "", "spread"];

/**
 * A table for the terminal; figures with three digits that count.
 *
 * @param judges false where there were too few calls to say whether a demand is met
 */
export function table(rows: readonly Row[], judges = true): string {
  const lines = [HEAD, ...rows.map((row) => cells(row, judges))];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line.map((cell, column) => cell[column === 0 ? "padEnd" : "padStart"](widths[column] ?? 0)).join("  "),
    )
    .join("\n");
}

function cells(row: Row, judges: boolean): string[] {
  const demand = demandOf(row);
  if (row.skipped !== undefined) return [row.what, row.skipped, "", "", demand, "-", ""];
  const [value, floor] = [row.value, row.floor].map((figure) => `${digits(figure)} ${row.unit}`);
  const verdict = judges ? verdictOn(row) : "-";
  return [
    row.what,
    value ?? "",
    floor ?? "",
    `${digits(row.ratio)}x`,
    demand,
    verdict,
    `${Math.round(row.spread * 100)} %`,
  ];
}

function verdictOn(row: Row): string {
  if (!meets(row)) return "MISSED";
  if (row.goal) return reaches(row.ratio, row.goal) ? "goal" : row.demand ? "ok" : "not yet";
  return row.demand ? "ok" : "-";
}

function demandOf({ demand, goal }: Row): string {
  return [demand && inWords(demand), goal && `goal ${inWords(goal)}`].filter((part) => part !== undefined).join(", ");
}

const inWords = (demand: Demand) => ("atMost" in demand ? `<= ${demand.atMost}x` : `>= ${demand.atLeast}x`);

const digits = (figure: number) =>
  Math.abs(figure) >= 100 ? figure.toFixed(0) : figure.toPrecision(3).replace(/^(-?0\.0*\d{2})\d$/, "$1");
