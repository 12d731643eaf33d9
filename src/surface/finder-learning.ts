import type { CallRecord } from "../core/call.ts";
import type { Caller } from "../core/caller.ts";
import type { Logger } from "../core/source.ts";
import type { Signal, SignalStore } from "../store/store.ts";
import { toolId } from "./finder-documents.ts";

/** A call is taken for the fruit of a search for so long, in ms. */
const FRESH_MS = 5 * 60_000;
const MAX_SEARCHERS = 1_000;
const MAX_SEARCHES_EACH = 8;
/** Signals are written together, so long after the first of them, in ms. */
const WRITE_AFTER_MS = 3_000;
const MAX_WAITING = 500;
const MAX_QUERY_CHARS = 200;
/** Kept in the store, and read at the first search. */
const MAX_KEPT = 5_000;
const MAX_QUERIES_OF_TOOL = 20;
const MAX_TOOLS = 2_000;
/** What one principal can teach about one tool: habits of one must not decide for all. */
const MAX_BY_PRINCIPAL = 5;
const MAX_COUNTED = 10_000;

export interface FinderLearning {
  /** @param tools that this search has found */
  searched(caller: Caller, query: string, tools: readonly string[]): void;
  observe(record: CallRecord): void;
  /** Searches that led to this tool, oldest first. */
  queriesOf(tool: string): readonly string[];
  /** Reads what earlier runs have learnt, once. */
  begin(): void;
  /** Writes what waits, after what is being written. Later lessons are written at once. */
  close(): Promise<void>;
}

export interface FinderLearningOptions {
  signals: SignalStore;
  onLearnt: (query: string, tool: string) => void;
  now: () => number;
  log: Logger;
}

interface Search {
  query: string;
  at: number;
  tools: ReadonlySet<string>;
}

/**
 * Links calls that worked to the searches before them. What can be taught is bounded: a pair of query and tool counts
 * once, a tool keeps its newest twenty queries, and one principal gives at most five of them.
 */
export function createFinderLearning({ signals, onLearnt, now, log }: FinderLearningOptions): FinderLearning {
  const searches = new Map<string, Search[]>();
  const learnt = new Map<string, string[]>();
  const taughtBy = new Map<string, number>();
  let waiting: Signal[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  /** Ends when all that was handed to the store is there. */
  let written = Promise.resolve();
  let hasBegun = false;

  function learn(query: string, tool: string): boolean {
    const queries = learnt.get(tool) ?? [];
    if (queries.includes(query)) return false;
    learnt.delete(tool);
    learnt.set(tool, [...queries, query].slice(-MAX_QUERIES_OF_TOOL));
    trim(learnt, MAX_TOOLS);
    onLearnt(query, tool);
    return true;
  }

  function mayTeach(principal: string, tool: string): boolean {
    const key = JSON.stringify([principal, tool]);
    const count = taughtBy.get(key) ?? 0;
    if (count >= MAX_BY_PRINCIPAL) return false;
    taughtBy.delete(key);
    taughtBy.set(key, count + 1);
    trim(taughtBy, MAX_COUNTED);
    return true;
  }

  function keep(signal: Signal): void {
    if (waiting.length >= MAX_WAITING) return;
    waiting.push(signal);
    if (isClosed) write();
    else timer ??= setTimeout(write, WRITE_AFTER_MS).unref();
  }

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    written = written
      .then(() => signals.add(batch))
      .then(() => signals.prune(MAX_KEPT))
      .catch((error: unknown) => log.warn({ err: error }, "what searches led to could not be kept"));
  }

  return {
    searched({ principal, channel }, query, tools) {
      const words = query.trim();
      if (words.length > MAX_QUERY_CHARS || tools.length === 0) return;
      const key = JSON.stringify([principal.id, channel]);
      const earlier = (searches.get(key) ?? []).filter((search) => search.query !== words);
      searches.delete(key);
      searches.set(key, [...earlier, { query: words, at: now(), tools: new Set(tools) }].slice(-MAX_SEARCHES_EACH));
      trim(searches, MAX_SEARCHERS);
    },

    observe({ kind, outcome, source, item, principal, channel }) {
      if (searches.size === 0 || kind !== "tool" || outcome !== "done" || source === undefined || item === undefined)
        return;
      const mine = searches.get(JSON.stringify([principal, channel]));
      if (!mine) return;
      const tool = toolId(source, item);
      // The newest search that found it is the one it was called for.
      const search = mine.findLast(({ tools, at }) => tools.has(tool) && now() - at <= FRESH_MS);
      if (!search || (learnt.get(tool) ?? []).includes(search.query)) return;
      if (!mayTeach(principal, tool)) return;
      learn(search.query, tool);
      keep({ query: search.query, tool, at: new Date(now()).toISOString() });
    },

    queriesOf: (tool) => learnt.get(tool) ?? [],

    begin() {
      if (hasBegun) return;
      hasBegun = true;
      signals
        .recent(MAX_KEPT)
        .then((kept) => {
          for (const { query, tool } of kept.toReversed()) learn(query, tool);
        })
        .catch((error: unknown) => log.warn({ err: error }, "what earlier searches led to could not be read"));
    },

    close() {
      isClosed = true;
      write();
      return written;
    },
  };
}

/** Lets the oldest go. */
function trim(map: Map<string, unknown>, max: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= max) break;
    map.delete(oldest);
  }
}
