import type { Logger } from "../../core/source.ts";
import type { DockerClient } from "../../machine/docker/docker.ts";
import { isOwnerAlive, LABEL, type Marks } from "./marks.ts";

/**
 * Removes what servers left behind that are gone: containers, and volumes that are not a layer in use.
 *
 * Who is gone? A server of this boot and process namespace: when its process is. Any other (another machine on a shared
 * daemon, before a reboot, another container): when it has not been seen for ten minutes. A server shows itself by a
 * volume that it makes anew every two minutes; the daemon's clock alone dates it and judges its age, so no two clocks
 * are compared. What is younger than ten minutes is left alone in any case, unless its owner is known to be gone.
 */
export interface Reaper {
  /** Shows that we live, from now on until `close`, and removes what others left. */
  open(): Promise<void>;
  /** One look for leftovers. @returns how many things were removed */
  sweep(): Promise<number>;
  /** We are gone. Safe to call twice. */
  close(): Promise<void>;
}

export interface ReaperOptions {
  client: DockerClient;
  marks: Marks;
  /** Whether a container with our own mark is one that we know of; others are leftovers of a broken connection. */
  knows(containerId: string): boolean;
  /** What else has to go from time to time; with every sign of life. */
  prune?(): Promise<unknown>;
  log: Logger;
  beatMs?: number;
  goneAfterMs?: number;
}

const BEAT_MS = 120_000;
const GONE_AFTER_MS = 600_000;
/** Between making a container and knowing its id, ours look unknown for a moment. */
const OWN_GRACE_MS = 60_000;

export function createReaper(options: ReaperOptions): Reaper {
  const { client, marks, log, beatMs = BEAT_MS, goneAfterMs = GONE_AFTER_MS } = options;
  const beats = [`dynamic-mcp-alive-${marks.instance}-a`, `dynamic-mcp-alive-${marks.instance}-b`] as const;
  let turn = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let beating = Promise.resolve();

  /** The new one is made before the old one goes, so that there is one at any time. */
  async function beat(): Promise<void> {
    const [next, last] = turn++ % 2 === 0 ? beats : [beats[1], beats[0]];
    await client.volumes.remove(next);
    await client.volumes.create(next, marks.of("alive"));
    await client.volumes.remove(last);
  }

  async function sweep(): Promise<number> {
    const nowMs = await client.timeMs();
    const containers = await client.containers.list([LABEL.instance]);
    const volumes = await client.volumes.list([LABEL.instance]);
    const lastSeen = new Map<string, number>();
    for (const { labels, createdAt } of volumes) {
      if (labels[LABEL.kind] !== "alive") continue;
      const instance = labels[LABEL.instance] ?? "";
      lastSeen.set(instance, Math.max(lastSeen.get(instance) ?? 0, Date.parse(createdAt) || 0));
    }
    const isGone = (labels: Readonly<Record<string, string>>, madeAtMs: number): boolean => {
      const instance = labels[LABEL.instance] ?? "";
      if (instance === marks.instance) return false;
      const seenAtMs = Math.max(lastSeen.get(instance) ?? 0, madeAtMs);
      return !(isOwnerAlive(labels) ?? nowMs - seenAtMs < goneAfterMs);
    };

    let removed = 0;
    // One that the daemon cannot remove must not keep the others.
    const take = async (what: string, remove: () => Promise<unknown>) => {
      try {
        if ((await remove()) !== false) removed++;
      } catch (error) {
        log.warn({ what, why: String(error) }, "what a server left behind could not be removed; it is tried again");
      }
    };
    for (const { id, labels, createdAtSeconds } of containers) {
      const madeAtMs = createdAtSeconds * 1_000;
      const isLost = labels[LABEL.instance] === marks.instance && !options.knows(id) && nowMs - madeAtMs > OWN_GRACE_MS;
      if (!isLost && !isGone(labels, madeAtMs)) continue;
      await take(`container ${id}`, () => client.containers.remove(id));
    }
    const inUse = new Set((await client.volumes.list([LAYER_OF])).map(({ labels }) => labels[LAYER_OF]));
    for (const { name, labels, createdAt } of volumes) {
      if (inUse.has(name) || !isGone(labels, Date.parse(createdAt) || 0)) continue;
      await take(`volume ${name}`, () => client.volumes.remove(name));
    }
    if (removed > 0) log.info({ removed }, "removed containers and volumes of servers that are gone");
    return removed;
  }

  function schedule(): void {
    if (isClosed) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (isClosed) return;
      beating = Promise.all([beat(), sweep(), options.prune?.()])
        .catch((error: unknown) => log.debug({ why: String(error) }, "the Docker daemon does not answer"))
        .then(schedule);
    }, beatMs);
    timer.unref();
  }

  return {
    sweep,
    async open() {
      try {
        await beat();
      } finally {
        schedule(); // also when the daemon refused: others must see us as soon as it does not
      }
      await sweep();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await beating;
      if (turn > 0) await Promise.all(beats.map((name) => client.volumes.remove(name)));
    },
  };
}

/** On the small volume that names the volume with a layer's files, see `layers.ts`. */
export const LAYER_OF = "dynamic-mcp.layer-volume";
