/** One needed tool or server with its interchangeable alternatives: found when any of them is. */
export type Groups = readonly (readonly string[])[];

/** @returns share of the groups that have a member among the first `k`, in [0, 1] */
export function recallAt(k: number, ranked: readonly string[], groups: Groups): number {
  const first = new Set(ranked.slice(0, k));
  return groups.filter((group) => group.some((id) => first.has(id))).length / groups.length;
}

/** Binary gain, once for each group, at the place of its first member; discounted by log2(place + 1). In [0, 1]. */
export function ndcgAt(k: number, ranked: readonly string[], groups: Groups): number {
  const open = new Set(groups);
  let gain = 0;
  for (const [index, id] of ranked.slice(0, k).entries()) {
    const group = [...open].find((each) => each.includes(id));
    if (!group) continue;
    open.delete(group);
    gain += 1 / Math.log2(index + 2);
  }
  let ideal = 0;
  for (let index = 0; index < Math.min(k, groups.length); index++) ideal += 1 / Math.log2(index + 2);
  return gain / ideal;
}
