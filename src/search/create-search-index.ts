import { analyse } from "./analyse.ts";
import { createExactNames, isSpelledAs } from "./exact-names.ts";
import { wordsOf } from "./fields.ts";
import { firstOf, takeTurns, type Hit } from "./hits.ts";
import { createLanguage } from "./language.ts";
import { createPostings } from "./postings.ts";
import { rank } from "./rank.ts";
import type { SearchDocument, SearchHits, SearchIndex } from "./search.ts";
import { createServers } from "./servers.ts";
import { BESIDE_OTHERS, leastOf, neededEvidence } from "./threshold.ts";

/** Past searches that one document remembers; the newest stay. */
const MAX_LEARNT = 20;
const MAX_LEARNT_CHARS = 200;
const SERVER_DESCRIPTION_CHARS = 600;
/** More than lies between two places of names of one kind. */
const AS_SPELLED = 5;

interface Kept {
  document: SearchDocument;
  server: number;
}

/** A {@link SearchIndex} in memory. A change costs what its document costs; now and then all are gone through again. */
export function createSearchIndex(): SearchIndex {
  const language = createLanguage();
  const names = createExactNames();
  const servers = createServers();
  const slotOf = new Map<string, number>();
  const learnt = new Map<string, string[]>();
  /** Documents that have learnt since the last search. */
  const stale = new Set<string>();
  let postings = createPostings();
  let kept: (Kept | undefined)[] = [];
  /** Slots of what servers say of themselves. */
  const descriptions = new Map<number, number>();
  let serverBySlot: number[] = [];

  function put(document: SearchDocument): void {
    const { server, isFirst } = servers.add(document);
    if (isFirst) describe(server, document);
    const slot = postings.add(wordsOf(document, learnt.get(document.key) ?? [], language.tokens), true);
    kept[slot] = { document, server };
    serverBySlot[slot] = server;
    slotOf.set(document.key, slot);
    names.add(document);
  }

  function describe(server: number, { server: name = "", serverDescription = "" }: SearchDocument): void {
    if (serverDescription === "") return;
    const description = serverDescription.slice(0, SERVER_DESCRIPTION_CHARS);
    const slot = postings.add(wordsOf({ key: "", name: "", server: name, description }, [], language.tokens), false);
    descriptions.set(server, slot);
    serverBySlot[slot] = server;
  }

  function drop(key: string): SearchDocument | undefined {
    const slot = slotOf.get(key) ?? -1;
    const gone = kept[slot];
    if (!gone) return undefined;
    postings.remove(slot);
    kept[slot] = undefined;
    slotOf.delete(key);
    names.remove(gone.document);
    if (servers.remove(gone.server)) {
      const described = descriptions.get(gone.server);
      if (described !== undefined) postings.remove(described);
      descriptions.delete(gone.server);
    }
    return gone.document;
  }

  function renew(): void {
    for (const key of stale) {
      const document = drop(key);
      if (document) put(document);
    }
    stale.clear();
    if (!postings.isWorn) return;
    const documents = [...slotOf.keys()].map((key) => kept[slotOf.get(key) ?? -1]?.document);
    for (const document of documents) if (document) drop(document.key);
    postings = createPostings();
    kept = [];
    serverBySlot = [];
    for (const document of documents) if (document) put(document);
  }

  return {
    set(document) {
      drop(document.key);
      put(document);
    },
    remove(key) {
      drop(key);
      learnt.delete(key);
      stale.delete(key);
    },
    get size() {
      return slotOf.size;
    },
    learn(query, key) {
      const words = query.slice(0, MAX_LEARNT_CHARS).trim();
      const queries = learnt.get(key) ?? [];
      if (!slotOf.has(key) || words === "" || queries.includes(words)) return;
      learnt.set(key, [...queries, words].slice(-MAX_LEARNT));
      stale.add(key);
    },

    search(query, { limit, accepts, among }): SearchHits {
      renew();
      const named = names.find(query);
      const concepts = analyse(query, language, postings);
      const needed = neededEvidence(concepts.length, among ?? postings.documentCount);

      function rankedBy(withLessons: boolean): { named: Hit[]; fitting: Hit[]; isTaught: boolean } {
        const { slots, scores, evidence, isTaught } = rank(concepts, {
          postings,
          withLessons,
          serverOf: (slot) => serverBySlot[slot] ?? 0,
          serverCount: servers.count,
          sizeOf: servers.sizeOf,
          isDescription: (slot) => kept[slot] === undefined,
        });
        const byName = [...named].flatMap(([key, place]) => {
          const slot = slotOf.get(key) ?? -1;
          const document = kept[slot]?.document;
          if (!document || (accepts && !accepts(key))) return [];
          const own = isSpelledAs(query, document) ? AS_SPELLED : 0;
          return [{ key, place: place + own, score: scores[slot] ?? 0 }];
        });
        const enough = needed * BESIDE_OTHERS;
        const fitting: Hit[] = [];
        let [most, best] = [0, 0];
        for (const slot of slots) {
          const evident = evidence(slot);
          if (evident < enough) continue;
          const key = kept[slot]?.document.key ?? "";
          if (named.has(key) || (accepts && !accepts(key))) continue;
          const score = scores[slot] ?? 0;
          most = Math.max(most, evident);
          best = Math.max(best, score);
          fitting.push({ key, place: 0, score });
        }
        const least = most < needed ? Infinity : leastOf(best);
        return { named: byName, fitting: fitting.filter(({ score }) => score >= least), isTaught };
      }

      const taught = rankedBy(true);
      const plain = taught.isTaught ? rankedBy(false) : taught;
      const { named: first } = plain;
      const fitting = takeTurns(firstOf(taught.fitting, limit), firstOf(plain.fitting, limit));
      return {
        hits: [...firstOf(first, limit), ...fitting].slice(0, limit).map(({ key, score }) => ({ key, score })),
        total: first.length + Math.max(taught.fitting.length, plain.fitting.length),
      };
    },
  };
}
