import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createSearchIndex } from "../../src/search/create-search-index.ts";
import type { SearchDocument } from "../../src/search/search.ts";

const BUILDS = 3;
const ROUNDS = 5;

/**
 * What an index of these documents costs: time to the end of the first search, time of a query, memory it holds. Of
 * each build and each query the best time counts: what else the machine does is not to be measured.
 */
export function measureSpeed(documents: readonly SearchDocument[], queries: readonly string[]) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let buildMs = Infinity;
  for (let round = 1; round < BUILDS; round++)
    buildMs = Math.min(
      buildMs,
      timeMs(() => build(documents)),
    );
  collect();
  const before = process.memoryUsage().heapUsed;
  let index = createSearchIndex();
  buildMs = Math.min(
    buildMs,
    timeMs(() => (index = build(documents))),
  );
  const best = queries.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [place, query] of queries.entries()) {
      best[place] = Math.min(
        best[place] ?? Infinity,
        timeMs(() => index.search(query, { limit: 5 })),
      );
    }
  }
  collect();
  const heapMB = (process.memoryUsage().heapUsed - before) / 1_000_000;
  const sorted = best.toSorted((a, b) => a - b);
  return { buildMs, heapMB, queryP95Ms: sorted[Math.floor(sorted.length * 0.95)] ?? 0, size: index.size };
}

function build(documents: readonly SearchDocument[]) {
  const index = createSearchIndex();
  for (const document of documents) index.set(document);
  index.search("read a file", { limit: 5 });
  return index;
}

function timeMs(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
