import { once } from "../core/once.ts";
import type { Logger } from "../core/source.ts";
import { createSearchIndex } from "../search/create-search-index.ts";
import type { SignalStore } from "../store/store.ts";
import { createFinderDocuments, toolId, type InView } from "./finder-documents.ts";
import { createFinderLearning } from "./finder-learning.ts";
import type { OpenFinder } from "./finder.ts";
import type { Named, Surface } from "./surface.ts";

export interface FinderOptions {
  surface: Pick<Surface, "view">;
  signals: SignalStore;
  /** What a server is for. */
  describeServer?: (name: string) => string | undefined;
  /** Ms since 1970. */
  now: () => number;
  log: Logger;
}

/** An {@link OpenFinder} that reads nothing before the first search, and then only what has changed. */
export function createFinder({ surface, signals, describeServer, now, log }: FinderOptions): OpenFinder {
  const learning = createFinderLearning({
    signals,
    onLearnt: (query, tool) => {
      for (const key of parts().documents.keysOf(tool)) parts().index.learn(query, key);
    },
    now,
    log,
  });
  const parts = once(() => {
    const index = createSearchIndex();
    const documents = createFinderDocuments({
      index,
      describeServer: describeServer ?? (() => undefined),
      onAdded: (key, tool) => {
        for (const query of learning.queriesOf(tool)) index.learn(query, key);
      },
      now,
      log,
    });
    return { index, documents };
  });

  return {
    find(caller, query, { limit, group }) {
      const { index, documents } = parts();
      learning.begin();
      const view = surface.view(caller);
      const inView = documents.sync(caller, view.all("tool"));
      const isIn = (named: Named<"tool"> | undefined) =>
        named !== undefined && (group === undefined || named.listing.group === group);
      const among = group === undefined ? inView.size : countOf(inView, group);
      const found = index.search(query, { limit, accepts: (key) => isIn(inView.get(key)), among });
      const hits = found.hits.flatMap(({ key, score }) => {
        const named = inView.get(key);
        return named ? [{ named, score }] : [];
      });
      // The name as it is listed, which may be shortened or given by the operator.
      const called = view.find("tool", query.trim());
      const at = called ? hits.findIndex(({ named }) => named === called) : -1;
      const isMissing = called !== undefined && at < 0 && isIn(called);
      if (called && at > 0) hits.splice(0, 0, ...hits.splice(at, 1));
      if (called && isMissing) hits.unshift({ named: called, score: (hits[0]?.score ?? 0) + 1 });
      hits.splice(limit);
      learning.searched(caller, query, hits.map(({ named }) => toolOf(named))); // prettier-ignore
      return { hits, total: Math.max(found.total, hits.length) };
    },
    observe: (record) => learning.observe(record),
    close: () => learning.close(),
  };
}

function countOf(inView: InView, group: string): number {
  let count = 0;
  for (const { listing } of inView.values()) if (listing.group === group) count++;
  return count;
}

const toolOf = ({ source, listing }: Named<"tool">) => toolId(source.name, listing.id);
