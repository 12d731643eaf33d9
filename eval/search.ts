import type { SearchIndex } from "../src/search/search.ts";
import type { Corpora } from "./lib/data.ts";
import { exactNameShare, shareWithAtMost } from "./lib/checks.ts";
import { NONSENSE, OFF_TOPIC, OFF_TOPIC_HELD_BACK } from "./lib/off-topic.ts";
import { indexOf, mean, openSets, scoresOf, type QuerySet, type Scores } from "./lib/sets.ts";
import { measureSpeed } from "./lib/speed.ts";

export interface Row {
  set: string;
  queries: number;
  recall5: number;
  recall10: number;
  ndcg10: number;
  /** Share of the queries for which nothing was found at all. */
  lost: number;
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

export function evaluateSearch(corpora: Corpora): Report {
  const { livemcp, wide, servers, queries } = corpora;
  const { plain, learnt } = openSets(corpora);
  const rows = plain.map(rowOf);
  const learntRows = learnt.map(rowOf);
  const meanNdcg10 = mean(rows.map(({ ndcg10 }) => ndcg10));

  const speed = measureSpeed(
    wide.slice(0, 8_000),
    queries.livemcp.map(({ query }) => query),
  );
  const all = [...rows, ...learntRows];
  const get = (set: string, measure: "recall5" | "recall10") => all.find((row) => row.set === set)?.[measure] ?? 0;
  const gain = (share: string) => get(`toole multi, ${share} tools taught`, "recall5") - get("toole multi", "recall5");
  const narrow = indexOf(livemcp);
  const wideIndex = indexOf(wide);
  const lostShare = mean(plain.flatMap(({ index, queries: asked }) => asked.map((each) => scoresOf(index, each).lost)));
  return {
    rows: all,
    meanNdcg10,
    checks: [
      atLeast("mean nDCG@10", meanNdcg10, 0.57),
      atLeast("toole single R@5", get("toole single", "recall5"), 0.74),
      atLeast("toole multi R@5", get("toole multi", "recall5"), 0.73),
      atLeast("wide step R@5", get("livemcp-wide step", "recall5"), 0.86),
      atLeast("wide task R@10", get("livemcp-wide task", "recall10"), 0.44),
      atLeast("servers mcpbench R@5", get("servers mcpbench", "recall5"), 0.6),
      atLeast("servers livemcp R@5", get("servers livemcp", "recall5"), 0.5),
      atLeast("toole single R@5, all tools taught", get("toole single, all tools taught", "recall5"), 0.88),
      atLeast("the same of multi, against none taught", gain("all"), 0),
      atLeast("the same of multi, half against none", gain("half"), 0),
      whole("names of tools that are found first", exactNameShare(wideIndex, wide)),
      whole("names of servers that are found first", exactNameShare(indexOf(servers), servers)),
      whole("nonsense that finds nothing, 527 tools", shareWithAtMost(0, narrow, NONSENSE)),
      ...offTopicChecks(narrow, "527 tools"),
      ...offTopicChecks(wideIndex, "8,000 tools"),
      atMost("share of queries that have an answer and find nothing", lostShare, 0.01),
      atMost("8,000 tools: build, ms", speed.buildMs, 500),
      atMost("8,000 tools: query p95, ms", speed.queryP95Ms, 5),
      atMost("8,000 tools: heap, MB", speed.heapMB, 30),
    ],
  };
}

/** With what did not set the threshold. Some words of such a question are always found somewhere. */
const offTopicChecks = (index: SearchIndex, size: string) => [
  atLeast(`off-topic queries that find nothing, ${size}`, shareWithAtMost(0, index, OFF_TOPIC_HELD_BACK), 0.5),
  atLeast(`off-topic queries with two hits at most, ${size}`, shareWithAtMost(2, index, OFF_TOPIC_HELD_BACK), 0.75),
  atLeast(`the same, of those that set the threshold, ${size}`, shareWithAtMost(2, index, OFF_TOPIC), 0.8),
];

function rowOf({ name, index, queries }: QuerySet): Row {
  const scores = queries.map((query) => scoresOf(index, query));
  const of = (measure: keyof Scores) => mean(scores.map((each) => each[measure]));
  return {
    set: name,
    queries: queries.length,
    recall5: of("recall5"),
    recall10: of("recall10"),
    ndcg10: of("ndcg10"),
    lost: of("lost"),
  };
}

const rounded = (value: number) => Math.round(value * 1_000) / 1_000;

function atLeast(what: string, value: number, target: number): Check {
  return { what, value: rounded(value), target: `>= ${target}`, isMet: value >= target };
}

function whole(what: string, value: number): Check {
  return { what, value, target: "1", isMet: value === 1 };
}

function atMost(what: string, value: number, target: number): Check {
  return { what, value: rounded(value), target: `< ${target}`, isMet: value < target };
}
