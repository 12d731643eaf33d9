import type { Deadline } from "../../core/deadline.ts";
import { once } from "../../core/once.ts";
import { type Logger, SILENT } from "../../core/source.ts";
import { createDockerClient, type DockerClient, raced } from "../../machine/docker/docker.ts";
import { daemonUnavailable } from "../../machine/docker/docker-error.ts";
import type { EndpointOptions } from "../../machine/docker/endpoint.ts";
import { type Availability, createAvailability } from "./availability.ts";
import { createImageFinder, type ImageFinder, type ImageFinderOptions } from "./images.ts";
import { createLayerVolumes, type LayerVolumes } from "./layers.ts";
import { createMarks, LABEL, type Marks } from "./marks.ts";
import { createNodeImages, type ImageMade, type NodeImage } from "./node-images.ts";
import { createReaper, type Reaper } from "./reaper.ts";

/**
 * What all that runs in containers shares on one daemon: the way to it, the images and packages that may be used, our
 * mark on what is made, and that all of it goes again. Nothing is asked of the daemon before the first use.
 */
export interface DockerBase {
  readonly client: DockerClient;
  readonly images: ImageFinder;
  readonly layers: LayerVolumes;
  readonly marks: Marks;
  readonly availability: Availability;
  readonly log: Logger;
  /** As the daemon names it; absent: its own. */
  readonly runtime: string | undefined;
  /** The image of who names none. */
  readonly defaultImage: string;
  /** Whether an image that is not there is fetched. */
  readonly fetches: boolean;

  /** What Node is in an image, found out once. @throws IMAGE_UNUSABLE when none is that can be used; ENGINE_UNAVAILABLE */
  nodeOf(image: ImageMade, deadline: Deadline): Promise<NodeImage>;

  /** To be awaited before anything is made: finds the daemon, and begins to clean up. @throws ENGINE_UNAVAILABLE */
  open(signal?: AbortSignal): Promise<void>;
  /** A container that we made. It is ours until `remove`. */
  made(containerId: string): void;
  /** Ends and removes a container; tries again later when the daemon does not answer. Never rejects. */
  remove(containerId: string): Promise<void>;
  /** For who closes and would wait in vain: resolves when the daemon does not answer a ping soon. Never, when it does. */
  lost(): Promise<void>;
  readonly reaper: Reaper;
  /** Removes all that is left, and waits for it. Safe to call twice. */
  close(): Promise<void>;
}

export interface DockerBaseOptions extends EndpointOptions {
  /** Images that may be used; empty: any. */
  allowedImages?: readonly string[];
  /** Default `missing`. */
  pull?: ImageFinderOptions["pull"];
  registryAuth?: ImageFinderOptions["registryAuth"];
  /** Default: the first allowed one. */
  defaultImage?: string;
  runtime?: string;
  /** Layers kept on the daemon. */
  maxLayers?: number;
  log?: Logger;
}

const REMOVE_TIMEOUT_MS = 5_000;
const TRY_AGAIN_MS = 2_000;
const CLOSE_STEP_MS = 3_000;
/** A ping is quick, also on a busy machine. */
const LOST_AFTER_MS = 1_500;
/** Who closes next need not wait for the same. */
const LOST_FRESH_MS = 2_000;
const FALLBACK_IMAGE = "node:lts-slim";

export function createDockerBase(options: DockerBaseOptions = {}): DockerBase {
  const { allowedImages = [], pull = "missing", registryAuth, runtime, maxLayers, log = SILENT } = options;
  const client = createDockerClient(options);
  const marks = createMarks();
  const availability = createAvailability(client);
  const images = createImageFinder({
    client,
    allowed: allowedImages,
    pull,
    log,
    ...(registryAuth && { registryAuth }),
  });
  const layers = createLayerVolumes({ client, marks, log, ...(maxLayers !== undefined && { maxLayers }) });
  const ours = new Set<string>();
  const removing = new Map<string, Promise<void>>();
  /** The daemon did not take them away when it was asked. */
  const stuck = new Set<string>();
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;
  const reaper = createReaper({ client, marks, log, knows: (id) => ours.has(id), prune: () => layers.prune() });

  /** Cleaning up goes on beside the first call; when it fails, the next call tries again. */
  let cleaning: Promise<void> | undefined;
  function clean(): void {
    if (isClosed) return;
    cleaning ??= reaper
      .open()
      .then(() => layers.prune())
      .then(
        () => {},
        (error: unknown) => {
          log.warn({ why: String(error) }, "could not look for leftovers on the Docker daemon");
          cleaning = undefined;
        },
      );
  }

  let opened: Promise<void> | undefined;
  let isUsed = false;
  function open(signal?: AbortSignal): Promise<void> {
    isUsed = true;
    opened ??= client.ping().then(
      () => {
        availability.saw(true);
      },
      (error: unknown) => {
        opened = undefined;
        availability.saw(false);
        throw error;
      },
    );
    return raced(opened.then(clean), signal);
  }

  async function tryToRemove(id: string): Promise<void> {
    const hanging = new AbortController();
    const giveUp = () => hanging.abort(daemonUnavailable("the Docker daemon does not answer"));
    const slow = setTimeout(() => void lost().then(giveUp), LOST_AFTER_MS);
    slow.unref();
    try {
      await client.containers.remove(id, { timeoutMs: REMOVE_TIMEOUT_MS, signal: hanging.signal });
      ours.delete(id);
      stuck.delete(id);
    } catch (error) {
      log.debug({ id, why: String(error) }, "a container could not be removed, and will be later");
      opened = undefined; // whoever comes next finds out whether the daemon is there
      stuck.add(id);
      armRetry();
    } finally {
      clearTimeout(slow);
    }
  }

  function armRetry(): void {
    if (isClosed || retry) return;
    retry = setTimeout(() => {
      retry = undefined;
      for (const id of stuck) void remove(id);
    }, TRY_AGAIN_MS);
    retry.unref();
  }

  function remove(id: string): Promise<void> {
    const running = removing.get(id);
    if (running) return running;
    const done = tryToRemove(id).finally(() => removing.delete(id));
    removing.set(id, done);
    return done;
  }

  let lostAtMs = -Infinity;
  async function lost(): Promise<void> {
    if (performance.now() - lostAtMs < LOST_FRESH_MS) return;
    const isThere =
      !isUsed ||
      (await client.ping({ signal: AbortSignal.timeout(LOST_AFTER_MS) }).then(
        () => true,
        () => false,
      ));
    if (isThere) return new Promise(() => {});
    lostAtMs = performance.now();
  }

  async function allRemoved(): Promise<void> {
    while (removing.size > 0) await Promise.all(removing.values());
  }

  async function leaveNothing(): Promise<void> {
    await within(CLOSE_STEP_MS, cleaning);
    for (const id of ours) void remove(id);
    await within(stuck.size > 0 ? CLOSE_STEP_MS : REMOVE_TIMEOUT_MS, allRemoved());
    if (isUsed) await within(CLOSE_STEP_MS, removeUnknown());
    await within(CLOSE_STEP_MS, reaper.close());
  }

  /** Made by a request whose answer was lost, so that nobody ever knew of it. */
  async function removeUnknown(): Promise<void> {
    for (const { id } of await client.containers.list([`${LABEL.instance}=${marks.instance}`])) await remove(id);
  }

  const nodeImages = once(() => createNodeImages(base));
  const base: DockerBase = {
    client,
    images,
    layers,
    marks,
    availability,
    log,
    runtime,
    reaper,
    fetches: pull !== "never",
    defaultImage: options.defaultImage ?? allowedImages[0] ?? FALLBACK_IMAGE,
    open,
    nodeOf: (image, deadline) => nodeImages()(image, deadline),
    made(id) {
      ours.add(id);
      if (isClosed) void remove(id); // it was on its way when we closed
    },
    remove,
    lost,
    async close() {
      if (isClosed) return;
      isClosed = true;
      clearTimeout(retry);
      // A daemon that hangs must not keep us: what is left then is for the next server.
      await Promise.race([leaveNothing(), lost()]);
      client.close();
    },
  };
  return base;
}

/** Resolves when it has settled, however, or after so many ms. */
async function within(ms: number, work: Promise<unknown> | undefined): Promise<void> {
  if (!work) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    const settle = () => {
      clearTimeout(timer);
      resolve();
    };
    work.then(settle, settle);
  });
}
