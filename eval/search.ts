import { createSearchIndex } from "../src/search/create-search-index.ts";
import type { SearchDocument, SearchIndex } from "../src/search/search.ts";
import type { Corpora, Query } from "./lib/data.ts";
import { exactNameShare, emptyShare, OFF_TOPIC, NONSENSE } from "./lib/checks.ts";
import { ndcgAt, recallAt } from "./lib/scores.ts";
import { measureSpeed } from "./lib/speed.ts";

export interface Row {
  set: string;
  queries: number;
  recall5: number;
  recall10: number;
  ndcg10: number;
}

export interface Check {
  what: string;
  value: number;
  target: string;
  isMet: boolean;
}

export interface Report {
  rows: Row[];
  /** Of the eight sets; what has learnt from past queries is not among them. */
  meanNdcg10: number;
  checks: Check[];
}

export function evaluateSearch({ livemcp, wide, toole, servers, usage, queries }: Corpora): Report {
  const sets: [name: string, documents: SearchDocument[], queries: Query[], kinds: string[]][] = [
    ["livemcp", livemcp, queries.livemcp, ["task", "step"]],
    ["livemcp-wide", wide, queries.livemcp, ["task", "step"]],
    ["toole", toole, queries.toole, ["single", "multi"]],
    ["servers", servers, queries.servers, ["mcpbench", "livemcp"]],
  ];
  const rows = sets.flatMap(([name, documents, asked, kinds]) => {
    const index = indexOf(documents);
    return kinds.map((kind) =>
      rowOf(
        `${name} ${kind}`,
        index,
        asked.filter((query) => query.kind === kind),
      ),
    );
  });
  const meanNdcg10 = mean(rows.map(({ ndcg10 }) => ndcg10));

  const learnt = indexOf(toole);
  for (const { query, tool } of usage) learnt.learn(query, tool);
  const learntRows = ["single", "multi"].map((kind) =>
    rowOf(
      `toole ${kind}, with past queries`,
      learnt,
      queries.toole.filter((query) => query.kind === kind),
    ),
  );

  const speed = measureSpeed(
    wide.slice(0, 8_000),
    queries.livemcp.map(({ query }) => query),
  );
  const get = (set: string, measure: "recall5" | "recall10") => rows.find((row) => row.set === set)?.[measure] ?? 0;
  const narrow = indexOf(livemcp);
  return {
    rows: [...rows, ...learntRows],
    meanNdcg10,
    checks: [
      atLeast("mean nDCG@10", meanNdcg10, 0.57),
      atLeast("toole single R@5", get("toole single", "recall5"), 0.74),
      atLeast("toole multi R@5", get("toole multi", "recall5"), 0.73),
      atLeast("wide step R@5", get("livemcp-wide step", "recall5"), 0.86),
      atLeast("wide task R@10", get("livemcp-wide task", "recall10"), 0.44),
      atLeast("servers mcpbench R@5", get("servers mcpbench", "recall5"), 0.6),
      atLeast("servers livemcp R@5", get("servers livemcp", "recall5"), 0.5),
      all("names of tools that are found first", exactNameShare(indexOf(wide), wide)),
      all("names of servers that are found first", exactNameShare(indexOf(servers), servers)),
      all("nonsense that finds nothing, 527 tools", emptyShare(narrow, NONSENSE)),
      atLeast("off-topic queries that find nothing, 527 tools", emptyShare(narrow, OFF_TOPIC), 0.9),
      atMost("8,000 tools: build, ms", speed.buildMs, 500),
      atMost("8,000 tools: query p95, ms", speed.queryP95Ms, 5),
      atMost("8,000 tools: heap, MB", speed.heapMB, 30),
    ],
  };
}

function indexOf(documents: readonly SearchDocument[]): SearchIndex {
  const index = createSearchIndex();
  for (const document of documents) index.set(document);
  return index;
}

function rowOf(set: string, index: SearchIndex, queries: readonly Query[]): Row {
  const scored = queries.map(({ query, groups }) => {
    const ranked = index.search(query, { limit: 10 }).hits.map(({ key }) => key);
    return [recallAt(5, ranked, groups), recallAt(10, ranked, groups), ndcgAt(10, ranked, groups)] as const;
  });
  return {
    set,
    queries: queries.length,
    recall5: mean(scored.map(([each]) => each)),
    recall10: mean(scored.map(([, each]) => each)),
    ndcg10: mean(scored.map(([, , each]) => each)),
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
const rounded = (value: number) => Math.round(value * 1_000) / 1_000;

/** Targets are given with two digits, and are compared so. */
function atLeast(what: string, value: number, target: number): Check {
  return { what, value: rounded(value), target: `>= ${target}`, isMet: Math.round(value * 100) / 100 >= target };
}

function all(what: string, value: number): Check {
  return { what, value, target: "1", isMet: value === 1 };
}

function atMost(what: string, value: number, target: number): Check {
  return { what, value: rounded(value), target: `< ${target}`, isMet: value < target };
}
