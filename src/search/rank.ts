import type { Concept } from "./analyse.ts";
import type { Postings } from "./postings.ts";
import { WEIGHTS } from "./weights.ts";

export interface RankOptions {
  postings: Postings;
  /** Whether lessons count, too: what led to a document before. */
  withLessons: boolean;
  /** The server of a slot: 0 when it has none, else a number below `serverCount`. */
  serverOf: (slot: number) => number;
  serverCount: number;
  /** Living documents of a server. */
  sizeOf: (server: number) => number;
  /** No document of its own: describes a server. */
  isDescription: (slot: number) => boolean;
}

export interface Ranking {
  /** All documents that have any word of it, in no order. */
  slots: readonly number[];
  /** By slot. */
  scores: Float64Array;
  /**
   * Share of what was asked for that a document has, by rarity, in [0, 1]; less for what stands for a word only loosely,
   * or is there only in passing. Tells whether it fits at all.
   */
  evidence: (slot: number) => number;
  /** Whether any lesson has counted: without, it is the ranking by words alone. */
  isTaught: boolean;
}

/** From this many words on a query is a task that needs several tools; so many more make it wholly one. */
const TASK_FROM = 4;
const TASK_OVER = 10;

/** BM25F over words and what may stand for them, the best of these for each word; then what fits as a whole. */
export function rank(concepts: readonly Concept[], options: RankOptions): Ranking {
  const { postings, withLessons, serverOf, isDescription } = options;
  const total = new Float64Array(postings.slotCount);
  const covered = new Float64Array(postings.slotCount);
  const proven = new Float64Array(postings.slotCount);
  const inName = new Float64Array(postings.slotCount);
  const namesHit = new Uint8Array(postings.slotCount);
  const best = new Float64Array(postings.slotCount);
  const bestProof = new Float64Array(postings.slotCount);
  const bestInName = new Float64Array(postings.slotCount);
  const serverTotal = new Float64Array(options.serverCount);
  const serverBest = new Float64Array(options.serverCount);
  const found: number[] = [];
  let asked = 0;
  let isTaught = false;

  for (const { id, weight, variants } of concepts) {
    const touched: number[] = [];
    const rarity = postings.rarityOf(id) * weight;
    asked += rarity;
    for (const [variant, closeness] of variants) {
      const worth = postings.rarityOf(variant) * closeness;
      postings.forEach(variant, (slot, inWords, inLessons, isInName) => {
        const taught = withLessons ? Math.min(inLessons, WEIGHTS.lessons) : 0;
        const frequency = inWords + taught;
        if (frequency === 0) return;
        if (taught > 0) isTaught = true;
        const score = (worth * frequency * (WEIGHTS.saturation + 1)) / (frequency + WEIGHTS.saturation);
        if (best[slot] === 0) touched.push(slot);
        if (score > (best[slot] ?? 0)) best[slot] = score;
        const proof = worth * Math.min(1, frequency / WEIGHTS.passing);
        if (proof > (bestProof[slot] ?? 0)) bestProof[slot] = proof;
        if (isInName && worth > (bestInName[slot] ?? 0)) bestInName[slot] = worth;
      });
    }
    const servers: number[] = [];
    for (const slot of touched) {
      const describes = isDescription(slot);
      const score = (best[slot] ?? 0) * weight;
      const server = serverOf(slot);
      const forServer = describes ? score * WEIGHTS.serverDescription : score;
      if (serverBest[server] === 0) servers.push(server);
      if (forServer > (serverBest[server] ?? 0)) serverBest[server] = forServer;
      if (!describes) {
        if (total[slot] === 0) found.push(slot);
        total[slot] = (total[slot] ?? 0) + score;
        covered[slot] = (covered[slot] ?? 0) + Math.min(rarity, score);
        proven[slot] = (proven[slot] ?? 0) + Math.min(rarity, (bestProof[slot] ?? 0) * weight);
        if ((bestInName[slot] ?? 0) > 0) namesHit[slot] = (namesHit[slot] ?? 0) + 1;
        inName[slot] = (inName[slot] ?? 0) + (bestInName[slot] ?? 0);
      }
      best[slot] = 0;
      bestProof[slot] = 0;
      bestInName[slot] = 0;
    }
    for (const server of servers) {
      serverTotal[server] = (serverTotal[server] ?? 0) + (serverBest[server] ?? 0);
      serverBest[server] = 0;
    }
  }

  const coverage = (slot: number) => (asked > 0 ? (covered[slot] ?? 0) / asked : 0);
  const evidence = (slot: number) => (asked > 0 ? (proven[slot] ?? 0) / asked : 0);
  for (const slot of found) {
    let score = (total[slot] ?? 0) * (1 - WEIGHTS.coverage + WEIGHTS.coverage * coverage(slot));
    if ((namesHit[slot] ?? 0) > 1) {
      const share = Math.min(1, (inName[slot] ?? 0) / Math.max(postings.nameRarityOf(slot), 1e-9));
      score *= 1 + WEIGHTS.fullName * share ** 2;
    }
    total[slot] = score;
  }

  // Afterwards, so that a server lifts its tools by the same whatever each of them has.
  let topScore = 0;
  let topServer = 0;
  for (let server = 1; server < serverTotal.length; server++) {
    const size = Math.max(options.sizeOf(server), 1);
    serverTotal[server] = (serverTotal[server] ?? 0) / (1 + WEIGHTS.serverSize * Math.log(size));
  }
  serverTotal[0] = 0;
  for (const slot of found) {
    topScore = Math.max(topScore, total[slot] ?? 0);
    topServer = Math.max(topServer, serverTotal[serverOf(slot)] ?? 0);
  }
  const taskShare = Math.min(1, Math.max(0, (concepts.length - TASK_FROM) / TASK_OVER));
  const lift = (WEIGHTS.server + WEIGHTS.serverOfTask * taskShare) * topScore;
  if (topServer > 0) {
    for (const slot of found) {
      total[slot] = (total[slot] ?? 0) + (lift * (serverTotal[serverOf(slot)] ?? 0)) / topServer;
    }
  }
  return { slots: found, scores: total, evidence, isTaught };
}
