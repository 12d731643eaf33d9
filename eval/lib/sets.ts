import { createSearchIndex } from "../../src/search/create-search-index.ts";
import type { SearchDocument, SearchIndex } from "../../src/search/search.ts";
import type { Corpora, Query } from "./data.ts";
import { ndcgAt, recallAt } from "./scores.ts";

/** Queries of one kind and the index that they are asked of. */
export interface QuerySet {
  name: string;
  index: SearchIndex;
  queries: readonly Query[];
}

/** Of one query; shares in [0, 1]. */
export interface Scores {
  recall5: number;
  recall10: number;
  ndcg10: number;
  /** 1 when nothing was found at all. */
  lost: number;
}

/** The eight sets, then those that have learnt from queries like those that are asked. */
export function openSets({ livemcp, wide, toole, servers, usage, queries }: Corpora): {
  plain: QuerySet[];
  learnt: QuerySet[];
} {
  const corpora: [name: string, documents: SearchDocument[], queries: Query[], kinds: string[]][] = [
    ["livemcp", livemcp, queries.livemcp, ["task", "step"]],
    ["livemcp-wide", wide, queries.livemcp, ["task", "step"]],
    ["toole", toole, queries.toole, ["single", "multi"]],
    ["servers", servers, queries.servers, ["mcpbench", "livemcp"]],
  ];
  const ofKind = (all: readonly Query[], wanted: string) => all.filter(({ kind }) => kind === wanted);
  const plain = corpora.flatMap(([name, documents, asked, kinds]) => {
    const index = indexOf(documents);
    return kinds.map((kind) => ({ name: `${name} ${kind}`, index, queries: ofKind(asked, kind) }));
  });
  const byTool = Map.groupBy(usage, ({ tool }) => tool);
  const isInHalf = new Set([...byTool.keys()].toSorted().filter((_, place) => place % 2 === 0));
  const learnt = (["all", "half"] as const).flatMap((share) => {
    const index = indexOf(toole);
    for (const { query, tool } of usage) if (share === "all" || isInHalf.has(tool)) index.learn(query, tool);
    return ["single", "multi"].map((kind) => ({
      name: `toole ${kind}, ${share} tools taught`,
      index,
      queries: ofKind(queries.toole, kind),
    }));
  });
  return { plain, learnt };
}

export function indexOf(documents: readonly SearchDocument[]): SearchIndex {
  const index = createSearchIndex();
  for (const document of documents) index.set(document);
  return index;
}

export function scoresOf(index: SearchIndex, { query, groups }: Query): Scores {
  const ranked = index.search(query, { limit: 10 }).hits.map(({ key }) => key);
  return {
    recall5: recallAt(5, ranked, groups),
    recall10: recallAt(10, ranked, groups),
    ndcg10: ndcgAt(10, ranked, groups),
    lost: ranked.length === 0 ? 1 : 0,
  };
}

export const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
