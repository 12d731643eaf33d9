import { open, readdir, readlink, lstat } from "node:fs/promises";
import { constants } from "node:fs";
import path from "node:path";
import { randomBytes } from "node:crypto";
import { DynamicMcpError } from "../../core/errors.ts";
import type { Logger } from "../../core/source.ts";
import type { DockerClient } from "../../machine/docker/docker.ts";
import { DockerError } from "../../machine/docker/docker-error.ts";
import { tar, type TarEntry } from "../../machine/docker/tar.ts";
import type { Layer } from "../engine.ts";
import type { Marks } from "./marks.ts";
import type { ImageMade } from "./node-images.ts";
import { LAYER_OF } from "./reaper.ts";
import { inPlaceOf, LAYER_FOLDER, layerMount } from "./spec.ts";

/**
 * Packages on the daemon: a volume for each layer, filled once through the archive API, so that no folder of this
 * machine has to be on the daemon's.
 *
 * A layer is two volumes. The files go into one with a random name. Only when all are there, a second one is made, which
 * has the layer's own name and says in a label where the files are. To make a volume is atomic, and gives the one that is
 * there already: so of two servers that fill the same layer one wins, and half a layer is never seen by anybody.
 */
export interface LayerVolumes {
  /**
   * @param image any of the daemon: a container of it, never started, is needed to fill a volume
   * @returns the name of a volume to be mounted read-only
   */
  ensure(layer: Layer, image: ImageMade): Promise<string>;
  /** Whether the volume is the one that `ensure` gave, and no empty one that the daemon made in its place. */
  isSound(volume: string): Promise<boolean>;
  /** It was not there any more: the next `ensure` looks again. */
  forget(layer: Layer): void;
  /** Takes away what the daemon made in its place, once no container has it. */
  discard(volume: string): Promise<void>;
  /** Removes layers that are older than a week, and the oldest beyond the limit; never one that a container uses. */
  prune(): Promise<number>;
}

export interface LayerVolumesOptions {
  client: DockerClient;
  marks: Marks;
  log: Logger;
  /** Layers kept on the daemon; default 64. */
  maxLayers?: number;
  maxAgeMs?: number;
}

const NAME = "dynamic-mcp-layer-";
/** On the volume with the files and on the one with its name. */
const LAYER_KEY = "dynamic-mcp.layer";
const KEY_CHARS = 32;
const FILL_TIMEOUT_MS = 300_000;
const WEEK_MS = 7 * 24 * 3_600_000;

export function createLayerVolumes(options: LayerVolumesOptions): LayerVolumes {
  const { client, marks, log, maxLayers = 64, maxAgeMs = WEEK_MS } = options;
  const known = new Map<string, Promise<string>>();

  async function find(layer: Layer): Promise<string | undefined> {
    const named = await client.volumes.inspect(nameOf(layer));
    const volume = named?.labels[LAYER_OF];
    if (volume === undefined) return undefined;
    if (named?.labels[LAYER_KEY] === layer.key && (await isSound(volume))) return volume;
    // Its files were removed, or it is not ours: the name says nothing any more.
    await client.volumes.remove(nameOf(layer));
    return undefined;
  }

  async function isSound(volume: string): Promise<boolean> {
    return (await client.volumes.inspect(volume))?.labels[LAYER_KEY] !== undefined;
  }

  async function fill(layer: Layer, image: ImageMade): Promise<string> {
    const startedAt = performance.now();
    const volume = `${nameOf(layer)}-${randomBytes(6).toString("hex")}`;
    const labels = { [LAYER_KEY]: layer.key };
    await client.volumes.create(volume, { ...marks.of("layer"), ...labels });
    try {
      const id = await client.containers.create({
        Image: image.id,
        Entrypoint: ["none"],
        Labels: marks.of("filler"),
        HostConfig: {
          NetworkMode: "none",
          Tmpfs: inPlaceOf(image.volumes, [LAYER_FOLDER]),
          Mounts: [layerMount(volume, false)],
        },
      });
      try {
        const archive = tar(entriesOf(path.join(layer.folder, "node_modules")));
        await client.containers.putArchive(id, LAYER_FOLDER, archive, { timeoutMs: FILL_TIMEOUT_MS });
      } finally {
        await client.containers.remove(id);
      }
      const named = await client.volumes.create(nameOf(layer), { ...labels, [LAYER_OF]: volume });
      const winner = named.labels[LAYER_OF];
      if (winner === undefined) throw new Error(`the volume ${named.name} is not ours`);
      if (winner !== volume) await client.volumes.remove(volume);
      else
        log.info({ layer: layer.key, ms: Math.round(performance.now() - startedAt) }, "filled a volume with packages");
      return winner;
    } catch (error) {
      await client.volumes.remove(volume).catch(() => {});
      if (error instanceof DockerError || error instanceof DynamicMcpError) throw error;
      throw new DynamicMcpError("STORE_UNAVAILABLE", "the packages could not be put on the Docker daemon", {
        cause: error,
      });
    }
  }

  async function add(layer: Layer, image: ImageMade): Promise<string> {
    const volume = await fill(layer, image);
    prune(layer.key).catch((error: unknown) => log.debug({ why: String(error) }, "old packages are left for later"));
    return volume;
  }

  /** @param kept key of the layer that was filled last: daemons date by the second, so it may not look like the newest */
  async function prune(kept?: string): Promise<number> {
    const nowMs = await client.timeMs();
    const isKept = ({ labels }: { labels: Readonly<Record<string, string>> }) => labels[LAYER_KEY] === kept;
    const named = (await client.volumes.list([LAYER_OF]))
      .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
      .toSorted((a, b) => Number(isKept(b)) - Number(isKept(a)));
    let removed = 0;
    for (const [place, { name, labels, createdAt }] of named.entries()) {
      const isOld = nowMs - (Date.parse(createdAt) || nowMs) > maxAgeMs;
      if (place < maxLayers && !isOld) continue;
      // The files first: they are kept while a container uses them, and so is their name.
      if (!(await client.volumes.remove(labels[LAYER_OF] ?? ""))) continue;
      await client.volumes.remove(name);
      known.delete(labels[LAYER_KEY] ?? "");
      removed++;
    }
    return removed;
  }

  return {
    isSound,
    ensure(layer, image) {
      const found = known.get(layer.key);
      if (found) return found;
      const made = (async () => (await find(layer)) ?? (await add(layer, image)))();
      known.set(layer.key, made);
      made.catch(() => known.delete(layer.key));
      return made;
    },
    forget: (layer) => void known.delete(layer.key),
    async discard(volume) {
      if (!(await isSound(volume))) await client.volumes.remove(volume);
    },
    prune: () => prune(),
  };
}

const nameOf = (layer: Layer) => NAME + layer.key.slice(0, KEY_CHARS);

/** All below a folder, in the order of their names; links as they are, never followed. */
export async function* entriesOf(folder: string, prefix = ""): AsyncGenerator<TarEntry> {
  const found = await readdir(folder, { withFileTypes: true });
  for (const entry of found.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = prefix + entry.name;
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      yield { kind: "folder", name, mode: 0o555 };
      yield* entriesOf(full, `${name}/`);
    } else if (entry.isSymbolicLink()) {
      const target = await readlink(full);
      if (staysInside(name, target)) yield { kind: "link", name, target };
    } else if (entry.isFile()) {
      const { size, mode } = await lstat(full);
      yield { kind: "file", name, mode: mode & 0o100 ? 0o555 : 0o444, size, content: contentOf(full) };
    }
  }
}

/** A link that leads out of the layer is left out; the daemon would refuse the whole. */
function staysInside(name: string, target: string): boolean {
  const reached = path.posix.normalize(path.posix.join(path.posix.dirname(name), target));
  return !path.isAbsolute(target) && reached !== ".." && !reached.startsWith("../");
}

async function* contentOf(file: string): AsyncGenerator<Uint8Array> {
  let handle;
  try {
    // A link that was put in its place meanwhile is not followed.
    handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (cause) {
    throw new DynamicMcpError("STORE_UNAVAILABLE", "a file of the packages could not be read", { cause });
  }
  try {
    yield* handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>;
  } finally {
    await handle.close();
  }
}
