export interface Hit {
  key: string;
  /** Among names; 0 for what only fits. */
  place: number;
  score: number;
}

/** Taken from the order with lessons before the other has a turn. */
const LESSONS_AHEAD = 2;

/** Up to here, putting each hit in its place is faster than sorting them all. */
const MAX_KEPT_SORTED = 100;

const inOrder = (a: Hit, b: Hit) => b.place - a.place || b.score - a.score || (a.key < b.key ? -1 : 1);

/** The first `limit` in order, without sorting what comes after them. */
export function firstOf(hits: readonly Hit[], limit: number): Hit[] {
  if (limit > MAX_KEPT_SORTED) return hits.toSorted(inOrder).slice(0, limit);
  const first: Hit[] = [];
  for (const hit of hits) {
    const last = first.at(-1);
    if (last && first.length >= limit && inOrder(last, hit) < 0) continue;
    let at = first.length;
    while (at > 0 && inOrder(hit, first[at - 1] ?? hit) < 0) at--;
    first.splice(at, 0, hit);
    if (first.length > limit) first.pop();
  }
  return first;
}

/**
 * Two orders in one: the first two with lessons, then by turns, beginning with the words alone. So lessons never push
 * out what fits without them: not for queries that ask for two things, and not where only some tools have any.
 */
export function takeTurns(taught: readonly Hit[], plain: readonly Hit[]): Hit[] {
  const taken = new Map<string, Hit>();
  const places = { taught: 0, plain: 0 };
  function takeNext(hits: readonly Hit[], from: keyof typeof places): void {
    let hit = hits[places[from]++];
    while (hit && taken.has(hit.key)) hit = hits[places[from]++];
    if (hit) taken.set(hit.key, hit);
  }
  for (let turn = 0; places.taught < taught.length || places.plain < plain.length; turn++) {
    if (turn < LESSONS_AHEAD || turn % 2 === 1) takeNext(taught, "taught");
    else takeNext(plain, "plain");
  }
  return [...taken.values()];
}
