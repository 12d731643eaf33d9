import type { DockerClient } from "../../machine/docker/docker.ts";

/** Whether a daemon answers: asked for often, found out seldom, and never before somebody asks. */
export interface Availability {
  /** What was found last; at first nothing, so false. Looks again, in the background, when that is some seconds old. */
  isAvailable(): boolean;
  /** Looks now, unless somebody has within these seconds. */
  check(): Promise<boolean>;
  /** Somebody has just seen the daemon, or failed to. */
  saw(isThere: boolean): void;
  /** "Look again": `isAvailable` has changed. Returns the end of the subscription. */
  onChange(listener: () => void): () => void;
}

const FRESH_MS = 5_000;

export function createAvailability(client: DockerClient): Availability {
  const listeners = new Set<() => void>();
  let last: { isThere: boolean; atMs: number } | undefined;
  let looking: Promise<boolean> | undefined;

  function saw(isThere: boolean): void {
    const before = last?.isThere ?? false;
    last = { isThere, atMs: performance.now() };
    if (before !== isThere) for (const listener of [...listeners]) listener();
  }

  async function look(): Promise<boolean> {
    const isThere = await client.ping().then(
      () => true,
      () => false,
    );
    saw(isThere);
    return isThere;
  }

  async function check(): Promise<boolean> {
    if (last && performance.now() - last.atMs < FRESH_MS) return last.isThere;
    looking ??= look().finally(() => (looking = undefined));
    return looking;
  }

  return {
    saw,
    check,
    isAvailable() {
      void check();
      return last?.isThere ?? false;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
