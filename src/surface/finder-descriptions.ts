/** Changes are looked for no more often, in ms: asking a fleet about hundreds of servers is no small thing. */
const LOOK_AGAIN_MS = 5_000;

/** What servers are for, as the index has it. */
export interface FinderDescriptions {
  /** Asked once for each server, then the same until {@link changed} says otherwise. */
  of(server: string): string | undefined;
  /** Servers that describe themselves otherwise by now. */
  changed(): readonly string[];
  forget(server: string): void;
}

export function createFinderDescriptions(
  describe: (server: string) => string | undefined,
  now: () => number,
): FinderDescriptions {
  const known = new Map<string, string | undefined>();
  let lookedAt = now();
  return {
    of(server) {
      if (!known.has(server)) known.set(server, describe(server));
      return known.get(server);
    },
    changed() {
      if (now() - lookedAt < LOOK_AGAIN_MS) return [];
      lookedAt = now();
      const found = [...known].filter(([server, before]) => describe(server) !== before).map(([server]) => server);
      for (const server of found) known.set(server, describe(server));
      return found;
    },
    forget: (server) => void known.delete(server),
  };
}
