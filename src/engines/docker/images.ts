import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { Logger } from "../../core/source.ts";
import { raced, type DockerClient } from "../../machine/docker/docker.ts";
import { daemonUnavailable, DockerError } from "../../machine/docker/docker-error.ts";
import type { ImageFacts, PullProgress } from "../../machine/docker/images.ts";
import { createImageList, isImageName } from "./image-list.ts";

/** Finds the image of a name, if it is allowed, and fetches it if that is allowed too. */
export interface ImageFinder {
  /**
   * What is made of it is made of the id: a tag that moves later changes nothing.
   *
   * @param onProgress a plain sentence now and then, only while it is fetched
   * @throws IMAGE_NOT_ALLOWED; IMAGE_NOT_FOUND; ENGINE_UNAVAILABLE; the deadline's error
   */
  find(name: string, deadline: Deadline, onProgress?: (message: string) => void): Promise<ImageFacts>;
  /** What is known of this name is asked for again: it was not there any more. */
  forget(name: string): void;
}

export interface ImageFinderOptions {
  client: DockerClient;
  /** Empty: any. */
  allowed: readonly string[];
  /** `always`: also when it is there, but at most every ten minutes. */
  pull: "missing" | "never" | "always";
  registryAuth?: { username: string; password: string; serveraddress?: string };
  /** A fetch that failed is not tried again for this long; default 30 s. */
  failureMs?: number;
  log: Logger;
}

interface Pull {
  done: Promise<void>;
  listeners: Set<(message: string) => void>;
  stop: AbortController;
  waiters: number;
}

/** So long an answer of the daemon is believed. */
const FRESH_MS = 10_000;
const PULL_AGAIN_MS = 600_000;
const FAILURE_MS = 30_000;
/** Names come from callers, who may make up any number of them. */
const MAX_FAILURES = 1_000;
/** Of progress: often enough to see that it goes on. */
const TELL_EVERY_MS = 1_000;

export function createImageFinder(options: ImageFinderOptions): ImageFinder {
  const { client, pull: policy, failureMs = FAILURE_MS, log } = options;
  const list = createImageList(options.allowed);
  const known = new Map<string, { facts: ImageFacts; untilMs: number }>();
  const pulls = new Map<string, Pull>();
  const pulledAtMs = new Map<string, number>();
  const failures = new Map<string, { why: string; cause: DockerError; untilMs: number }>();

  const refused = (name: string) =>
    new DynamicMcpError(
      "IMAGE_NOT_ALLOWED",
      `the image ${name} is not one that the operator allows (MCP_SANDBOX_ALLOWED_IMAGES); allowed: ${options.allowed.join(", ")}`,
      { data: { image: name, allowed: options.allowed } },
    );

  async function find(name: string, deadline: Deadline, onProgress?: (message: string) => void): Promise<ImageFacts> {
    if (!isImageName(name)) {
      throw new DynamicMcpError("IMAGE_NOT_FOUND", `"${name.slice(0, 100)}" is not the name of an image`);
    }
    const cached = known.get(name);
    if (cached && cached.untilMs > performance.now()) return cached.facts;
    if (!list.mayBe(name)) throw refused(name);

    const { signal } = deadline;
    const isDue =
      policy === "always" &&
      list.mayFetch(name) &&
      performance.now() - (pulledAtMs.get(name) ?? -Infinity) > PULL_AGAIN_MS;
    let facts = isDue ? undefined : await client.images.inspect(name, { signal });
    if (!facts) {
      if (!list.mayFetch(name)) throw refused(name);
      if (policy === "never")
        throw notFound(name, "and this server does not fetch images (MCP_SANDBOX_IMAGE_PULL=never)");
      await pullOnce(name, deadline, onProgress);
      facts = await client.images.inspect(name, { signal });
      if (!facts) throw notFound(name, "even after it was fetched");
    }
    if (!list.allows(name, facts)) throw refused(name);
    failures.delete(name);
    known.set(name, { facts, untilMs: performance.now() + FRESH_MS });
    return facts;
  }

  /** All who wait for the same image share one fetch; it ends when the last of them leaves. */
  async function pullOnce(name: string, deadline: Deadline, onProgress?: (message: string) => void): Promise<void> {
    const failure = failures.get(name);
    if (failure && failure.untilMs > performance.now()) throw notFetched(name, failure);
    failures.delete(name);
    let pull = pulls.get(name);
    if (!pull) {
      pull = startPull(name);
      pulls.set(name, pull);
    }
    if (onProgress) pull.listeners.add(onProgress);
    pull.waiters++;
    try {
      await raced(pull.done, deadline.signal);
    } finally {
      if (onProgress) pull.listeners.delete(onProgress);
      if (--pull.waiters === 0) {
        pull.stop.abort(new DynamicMcpError("CANCELLED", "nobody waits for the image any more"));
        if (pulls.get(name) === pull) pulls.delete(name);
      }
    }
  }

  function startPull(name: string): Pull {
    const listeners = new Set<(message: string) => void>();
    const stop = new AbortController();
    const progress = createProgress(name, (message) => {
      for (const listener of listeners) listener(message);
    });
    const startedAt = performance.now();
    const auth = options.registryAuth && { registryAuth: options.registryAuth };
    const done = client.images.pull(name, progress, { signal: stop.signal, ...auth }).then(
      () => {
        pulledAtMs.set(name, performance.now());
        log.info({ image: name, ms: Math.round(performance.now() - startedAt) }, "fetched a container image");
      },
      (error: unknown) => {
        if (!(error instanceof DockerError)) throw error;
        log.warn({ image: name, status: error.status, why: error.message }, "a container image could not be fetched");
        const failure = { why: error.message, cause: error, untilMs: performance.now() + failureMs };
        const [oldest] = failures.keys();
        if (failures.size >= MAX_FAILURES && oldest !== undefined) failures.delete(oldest);
        failures.set(name, failure);
        throw notFetched(name, failure);
      },
    );
    done.catch(() => {}); // whoever waits for it hears of it
    return { done, listeners, stop, waiters: 0 };
  }

  async function findOrExplain(...[name, deadline, onProgress]: Parameters<ImageFinder["find"]>): Promise<ImageFacts> {
    try {
      return await find(name, deadline, onProgress);
    } catch (error) {
      if (!(error instanceof DockerError)) throw error;
      throw daemonUnavailable(`the Docker daemon does not tell of the image ${name}: ${error.message}`, error);
    }
  }

  return {
    find: findOrExplain,
    forget(name) {
      known.delete(name);
      failures.delete(name);
    },
  };
}

function notFetched(name: string, { why, cause, untilMs }: { why: string; cause: DockerError; untilMs: number }) {
  const seconds = Math.max(1, Math.ceil((untilMs - performance.now()) / 1_000));
  return notFound(
    name,
    `on this machine and it could not be fetched (not tried again for ${seconds} s): ${why}`,
    cause,
  );
}

function notFound(name: string, why: string, cause?: unknown): DynamicMcpError {
  return new DynamicMcpError("IMAGE_NOT_FOUND", `there is no image ${name} ${why}`, { data: { image: name }, cause });
}

/** Many lines of many layers become one sentence a second. */
function createProgress(name: string, tell: (message: string) => void): (progress: PullProgress) => void {
  const layers = new Map<string, { done: number; total: number }>();
  let toldAt = -Infinity;
  return ({ status, layer, doneBytes, totalBytes }) => {
    if (layer !== undefined && doneBytes !== undefined && totalBytes !== undefined && status === "Downloading") {
      if (layers.size < 1_000 || layers.has(layer)) layers.set(layer, { done: doneBytes, total: totalBytes });
    }
    if (performance.now() - toldAt < TELL_EVERY_MS) return;
    toldAt = performance.now();
    const sum = { done: 0, total: 0 };
    for (const { done, total } of layers.values()) {
      sum.done += done;
      sum.total += total;
    }
    tell(`fetching the image ${name}${sum.total > 0 ? `: ${mib(sum.done)} of ${mib(sum.total)} MiB` : ""}`);
  };
}

const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
