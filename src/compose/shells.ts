import { setTimeout as wait } from "node:timers/promises";
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
 * elsewhere nothing is loaded, and nothing asked of a daemon, before somebody wants a shell.
 */
export async function openShells(settings: Settings, means: Means, now: () => number): Promise<Shells> {
  if (!listedBy(settings.server.profiles)("sandbox")) return unlisted(() => makeShells(settings, means, now));
  const engine = lazyShellEngine(settings, means.engines);
  await Promise.race([engine.look(), wait(LOOK_MS, undefined, { ref: false })]);
  // A daemon that comes or goes while nobody lists tools: clients that wait for a notice hear of it.
  const looking = setInterval(() => engine.isAvailable(), LOOK_AGAIN_MS).unref();
  const shells = await makeShells(settings, means, now, engine);
  return {
    ...shells,
    async close() {
      clearInterval(looking);
      await shells.close();
    },
  };
}

async function makeShells(
  { sandbox }: Settings,
  { engines, reach }: Means,
  now: () => number,
  engine = lazyShellEngine({ sandbox }, engines),
): Promise<Shells> {
  const { createShells } = await import("../authored/shells/create-shells.ts");
  return createShells({
    engine,
    packages: reach.packages,
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
}

/** Shells that no list shows, and that can be called all the same. */
function unlisted(make: () => Promise<Shells>): Shells {
  const shells = lazily(make);
  let made: Shells | undefined;
  const get = async () => (made = await shells.get());
  return {
    isAvailable: () => false,
    onChange: () => () => {},
    start: async (request, by) => (await get()).start(request, by),
    exec: async (request, by) => (await get()).exec(request, by),
    runModule: async (request, by) => (await get()).runModule(request, by),
    stop: async (id, principal) => (await get()).stop(id, principal),
    list: (principal) => made?.list(principal) ?? [],
    close: async () => (await shells.made())?.close(),
  };
}

interface LazyShellEngine extends ShellEngine {
  /** Finds out whether there can be shells; never rejects. */
  look(): Promise<void>;
}

function lazyShellEngine({ sandbox }: Pick<Settings, "sandbox">, { docker }: Means["engines"]): LazyShellEngine {
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
    isAvailable: () => loaded?.isAvailable() ?? false,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    open: async (options, deadline, onProgress) => (await load.get()).open(options, deadline, onProgress),
  };
}
