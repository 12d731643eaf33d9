import { setTimeout as wait } from "node:timers/promises";
import { createShells } from "../authored/shells/create-shells.ts";
import type { Shells } from "../authored/shells/shells.ts";
import type { Settings } from "../config/schema.ts";
import type { ShellEngine } from "../engines/shells.ts";
import { listedBy } from "../operations/profiles.ts";
import { lazily } from "./lazily.ts";
import type { Means } from "./means.ts";

/** So long a start waits for a daemon to say whether it is there. */
const LOOK_MS = 1_000;
const LOOK_AGAIN_MS = 15_000;

/**
 * Shells are containers. Where a profile lists them, the daemon is looked for now, so that the first list is right;
 * elsewhere nothing is asked of it before a shell is.
 */
export async function openShells(settings: Settings, { engines, reach }: Means, now: () => number): Promise<Shells> {
  const { sandbox } = settings;
  const areListed = listedBy(settings.server.profiles)("sandbox");
  const engine = lazyShellEngine(settings, engines, areListed);
  if (areListed) await Promise.race([engine.look(), wait(LOOK_MS, undefined, { ref: false })]);
  // A daemon that comes or goes while nobody lists tools: clients that wait for a notice hear of it.
  const looking = areListed ? setInterval(() => engine.isAvailable(), LOOK_AGAIN_MS).unref() : undefined;
  const shells = createShells({
    engine,
    async layerFor(dependencies, deadline, onProgress) {
      const lock = await reach.packages.resolve(dependencies, deadline);
      return reach.packages.layer(lock, deadline, onProgress);
    },
    now,
    settings: {
      maxPerPrincipal: sandbox.maxSessionsPerPrincipal,
      maxTotal: sandbox.maxSessions,
      idleMs: sandbox.sessionTimeoutSeconds * 1_000,
      maxAgeMs: sandbox.sessionMaxAgeSeconds * 1_000,
      maxTimeoutMs: sandbox.maxTimeoutMs,
      maxOutputBytes: sandbox.maxOutputBytes,
    },
  });
  return {
    ...shells,
    async close() {
      clearInterval(looking);
      await shells.close();
    },
  };
}

interface LazyShellEngine extends ShellEngine {
  /** Finds out whether there can be shells; never rejects. */
  look(): Promise<void>;
}

/** @param isWatched whether somebody wants to know when shells come and go */
function lazyShellEngine({ sandbox }: Settings, { docker }: Means["engines"], isWatched: boolean): LazyShellEngine {
  const listeners = new Set<() => void>();
  let loaded: ShellEngine | undefined;
  const load = lazily(async () => {
    const [{ createDockerShellEngine }, base] = await Promise.all([
      import("../engines/docker/shell-engine.ts"),
      docker(),
    ]);
    loaded = createDockerShellEngine(base, { memoryMiB: sandbox.memoryMiB, cpus: sandbox.cpus });
    loaded.onChange(() => {
      for (const listener of [...listeners]) listener();
    });
    return loaded;
  });
  return {
    async look() {
      await load.get();
      await (await docker()).availability.check();
    },
    isAvailable: () => (isWatched && loaded?.isAvailable()) ?? false,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    open: async (options, deadline, onProgress) => (await load.get()).open(options, deadline, onProgress),
  };
}
