import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createSearchIndex } from "../../src/search/create-search-index.ts";
import type { SearchDocument } from "../../src/search/search.ts";

/** What an index of these documents costs: time to the end of the first search, time of a query, memory it holds. */
export function measureSpeed(documents: readonly SearchDocument[], queries: readonly string[]) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const start = performance.now();
  const index = createSearchIndex();
  for (const document of documents) index.set(document);
  index.search(queries[0] ?? "", { limit: 5 });
  const buildMs = performance.now() - start;

  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    for (const query of queries) {
      const at = performance.now();
      index.search(query, { limit: 5 });
      times.push(performance.now() - at);
    }
  }
  collect();
  const heapMB = (process.memoryUsage().heapUsed - before) / 1_000_000;
  const sorted = times.toSorted((a, b) => a - b);
  return { buildMs, heapMB, queryP95Ms: sorted[Math.floor(sorted.length * 0.95)] ?? 0, size: index.size };
}
