import { readFile } from "node:fs/promises";
import { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../../core/errors.ts";
import { once } from "../../core/once.ts";
import type { HostCalls } from "../../core/source.ts";
import { raced } from "../../machine/docker/docker.ts";
import { daemonUnavailable, DockerError } from "../../machine/docker/docker-error.ts";
import { entryUrl } from "../../machine/entries.ts";
import type { EngineHealth, ExecutionEngine, Job, JobEnd } from "../engine.ts";
import { NO_PROBE_CALLS, PROBE_JOB } from "../process/probe-job.ts";
import { nestedOf } from "../process/admission.ts";
import { FRAME_SLACK_BYTES, type Member } from "../process/member.ts";
import { createOneShotPool } from "../process/one-shot-pool.ts";
import { runJob } from "../process/run-job.ts";
import { createCrowds } from "./crowds.ts";
import type { DockerBase } from "./docker-base.ts";
import { levelOf, healthOf } from "./health.ts";
import { CPU_SECONDS, type Recipe, recipeKey, startOneShot } from "./one-shot.ts";
import { watchDaemon } from "./watch-daemon.ts";

export interface DockerEngineOptions {
  /** Containers at once, warm ones included; default 16. */
  maxContainers?: number;
  /** Warm containers that each kind in use keeps; default 2. */
  warm?: number;
  /** Of one job; default 1. */
  cpus?: number;
  /** Largest result of any job, in bytes: what a container may send at most. */
  maxResultBytes?: number;
  /** How long a job waits for a container; default 15 s. */
  maxWaitMs?: number;
  /** A warm container that no job wanted for this long is ended; default five minutes. */
  idleMs?: number;
  /**
   * `process`: calls of one tool by one principal follow each other in the same process, and see what the last one left;
   * no others do. None is started ahead then, and there are no containers for many calls. Default `none`.
   */
  reuse?: "none" | "process";
  /** A process that is kept for the next call is ended after this long without any; default one minute. */
  reuseIdleMs?: number;
  /** A container for many calls of one tool is ended after this long without any; default one minute. */
  crowdIdleMs?: number;
}

/**
 * Runs jobs with Node in hardened containers: without network, capabilities, or anything to write but a small /tmp.
 *
 * A container serves one job and was started ahead. When calls of one tool by one principal come faster than containers
 * start, these calls get a container of their own with a fresh process for each, see `crowds.ts`. Every container goes
 * when it is over, also when this server is killed: the next one on the daemon removes it, see `reaper.ts`.
 *
 * @param base stays the caller's: it is not closed with the engine
 */
export function createDockerEngine(base: DockerBase, options: DockerEngineOptions = {}): ExecutionEngine {
  const { log } = base;
  const { maxContainers = 16, warm = 2, cpus = 1, idleMs = 300_000, maxWaitMs = 15_000 } = options;
  const maxFrameBytes = Math.max(MIN_FRAME_BYTES, options.maxResultBytes ?? 0) + FRAME_SLACK_BYTES;
  const reuses = options.reuse === "process";
  const maxCrowds = reuses ? 0 : Math.floor(maxContainers / 4);
  const maxOneShots = maxContainers - maxCrowds;
  const runner = once(() => readFile(entryUrl("node-runner")));
  const closing = new AbortController();

  const pool = createOneShotPool({
    engine: "docker",
    maxRunning: maxOneShots,
    maxLive: maxOneShots,
    idlePerKey: reuses ? 0 : warm,
    refillAtOnce: REFILL_AT_ONCE,
    idleMs: reuses ? (options.reuseIdleMs ?? 60_000) : idleMs,
    maxWaitMs,
    log,
  });
  const crowds = createCrowds({
    base,
    maxCrowds,
    idleMs: options.crowdIdleMs ?? 60_000,
    maxWaitMs,
    maxFrameBytes,
  });

  const usedMs = new WeakMap<Member, number>();
  /** Its limit of processor time is for all its jobs: no job is to end at what others have used. */
  function isFresh(member: Member, wallMs: number): boolean {
    const sum = (usedMs.get(member) ?? 0) + wallMs;
    usedMs.set(member, sum);
    return sum * Math.max(1, cpus) < (CPU_SECONDS * 1_000) / 2;
  }

  async function recipeFor(job: Job, deadline: Deadline): Promise<Recipe> {
    const { signal } = deadline;
    await base.open(signal);
    const image = job.image ?? base.defaultImage;
    const facts = await base.images.find(image, deadline);
    const { version, ipc, hasInit } = await base.nodeOf(facts, deadline);
    const layer = job.layer && { ...job.layer, volume: await raced(base.layers.ensure(job.layer, facts), signal) };
    const memoryMiB = job.limits.memoryMiB;
    return {
      imageId: facts.id,
      volumes: facts.volumes,
      image,
      version,
      ipc,
      hasInit,
      memoryMiB,
      cpus,
      script: await runner(),
      ...(layer && { layer }),
    };
  }

  async function take(job: Job, deadline: Deadline): Promise<Member> {
    const recipe = await raced(recipeFor(job, deadline), closing.signal);
    const key = reuses ? reuseKey(job, recipe) : recipeKey(recipe);
    const crowd = crowds.find(job, key);
    if (crowd) {
      try {
        return await crowd.acquire(job, deadline);
      } catch (error) {
        // It has just ended, and nothing of the job was run.
        if (closing.signal.aborted || !hasCode(error, "ENGINE_UNAVAILABLE", "SHUTTING_DOWN")) throw error;
      }
    }
    let isStale = false;
    let loss: DynamicMcpError | undefined;
    const spawn = () =>
      startOneShot(base, recipe, {
        maxFrameBytes,
        isReused: reuses,
        onWaiting: () => pool.wake(),
        onStale() {
          isStale = true;
          pool.forget(key);
        },
        onLost: (error) => (loss = error),
      });
    const stopCounting = crowds.count(job, key, recipe);
    try {
      return await pool.acquire(key, spawn, nestedOf(job), deadline);
    } catch (error) {
      if (isStale) throw new StaleRecipe();
      throw loss && hasCode(error, "ENGINE_UNAVAILABLE") ? new LostDaemon(loss) : error;
    } finally {
      stopCounting();
    }
  }

  async function acquire(job: Job, deadline: Deadline): Promise<Member> {
    closing.signal.throwIfAborted();
    deadline.throwIfEnded();
    const waiting = deadline.child(deadline.remainingMs());
    let isLost = false;
    const stopWatching = watchDaemon(base, job.runMs, () => {
      isLost = true;
      waiting.end("client");
    });
    try {
      return await take(job, waiting).catch((error: unknown) => {
        // Nothing of the job was run.
        if (error instanceof StaleRecipe || error instanceof LostDaemon) return take(job, waiting);
        throw error;
      });
    } catch (error) {
      if (deadline.reason) throw deadline.error();
      throw isLost ? daemonUnavailable(HANGS, error) : await explained(error, deadline);
    } finally {
      stopWatching();
      waiting.close();
    }
  }

  /** A container that did not start says little; a daemon that is not there says what to do. */
  async function explained(error: unknown, deadline: Deadline): Promise<unknown> {
    if (error instanceof DockerError) return daemonUnavailable(`the Docker daemon refused: ${error.message}`, error);
    if (!hasCode(error, "ENGINE_UNAVAILABLE") || deadline.reason) return error;
    return base.client.ping({ signal: deadline.signal }).then(
      () => error,
      (cause: unknown) => cause,
    );
  }

  const sandboxes = {
    engine: "docker",
    acquire,
    release(member: Member, end?: JobEnd) {
      if (!crowds.release(member)) pool.release(member, reuses && end?.state === "done" && isFresh(member, end.wallMs));
    },
    isClosed: () => closing.signal.aborted,
    log,
  } as const;

  /** Code that made no call has done nothing to anybody: when its daemon went away, that is what the call ends of. */
  async function runOrExplain(job: Job, host: HostCalls, deadline: Deadline): Promise<JobEnd> {
    let hasCalled = false;
    const call: HostCalls["call"] = (...given) => {
      hasCalled = true;
      return host.call(...given);
    };
    const end = await runJob(sandboxes, job, { call }, deadline);
    if (end.state === "done" || end.code !== "ENGINE_CRASHED" || hasCalled) return end;
    const cause = await base.client.ping({ signal: deadline.signal }).catch((error: unknown) => error);
    if (hasCode(cause, "ENGINE_UNAVAILABLE")) throw cause;
    return end;
  }

  return {
    name: "docker",
    run: runOrExplain,

    async probe(): Promise<EngineHealth> {
      const deadline = new Deadline(PROBE_MS);
      try {
        return await healthOf(base, {
          deadline,
          pool: () => ({ ...pool.counts(), crowds: crowds.counts() }),
          run: () => runJob(sandboxes, PROBE_JOB, NO_PROBE_CALLS, deadline),
        });
      } catch (error) {
        const problem = error instanceof DynamicMcpError ? error.message : String(error);
        return { name: "docker", isAvailable: false, level: levelOf(base.runtime), problem };
      } finally {
        deadline.close();
      }
    },

    async close() {
      closing.abort(new DynamicMcpError("SHUTTING_DOWN", "the docker engine is closed"));
      await Promise.race([Promise.all([pool.close(), crowds.close()]), base.lost()]);
    },
  };
}

/** Names one tool of one principal, with all that its process was started with. */
const reuseKey = ({ program, scope, may }: Job, recipe: Recipe) =>
  JSON.stringify([program.name, program.digest, scope, may, recipeKey(recipe)]);

/** The image, or the volume with the packages, was removed since it was found. */
class StaleRecipe extends DynamicMcpError {
  constructor() {
    super("ENGINE_UNAVAILABLE", "the image, or the packages, were removed from the Docker daemon; try again", {
      data: { engine: "docker" },
    });
  }
}

/** The connection broke again and again while a container was made; nothing of the code was run. */
class LostDaemon extends DynamicMcpError {
  constructor(cause: Error) {
    const what =
      "the connection to the Docker daemon broke while a container was made, and nothing of the code was run: " +
      "check the daemon, and what is between it and this server, then try again";
    super("ENGINE_UNAVAILABLE", what, { data: { engine: "docker" }, cause });
  }
}

const HANGS =
  "the Docker daemon does not answer, and nothing of the code was run: check that it is well (`docker ps` hangs then, " +
  "too), then try again";

/** Starting one is mostly waiting for the daemon. */
const REFILL_AT_ONCE = 2;
/** The least that a frame may have: host calls are bounded by who answers them. */
const MIN_FRAME_BYTES = 16 * 1024 * 1024;
const PROBE_MS = 20_000;
