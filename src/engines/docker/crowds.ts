import { readFile } from "node:fs/promises";
import type { Deadline } from "../../core/deadline.ts";
import { once } from "../../core/once.ts";
import { entryUrl } from "../../machine/entries.ts";
import type { Job } from "../engine.ts";
import { callerBudgets, nestedOf } from "../process/admission.ts";
import { createMember, explainExit, type Member } from "../process/member.ts";
import { createOneShotPool, type OneShotPool } from "../process/one-shot-pool.ts";
import type { DockerBase } from "./docker-base.ts";
import type { Recipe } from "./one-shot.ts";
import { startSupervised, type ProcessInside, type SupervisedContainer } from "./supervised.ts";

/**
 * Containers for tools that are called faster than containers start. Such a container serves one tool (one program) for
 * one principal only; each call still gets a fresh process, of which some are started ahead, with a folder of its own.
 *
 * One is started when calls of the same kind wait for containers, and ended when they stop coming.
 */
export interface Crowds {
  /** @returns undefined when there is none for this job, or none with room */
  find(job: Job, key: string): Crowd | undefined;
  /** A job begins to wait for a container of its own. @returns says that it waits no more */
  count(job: Job, key: string, recipe: Recipe): () => void;
  /** @returns false when the member is not of a crowd */
  release(member: Member): boolean;
  counts(): { containers: number; processes: number };
  close(): Promise<void>;
}

export interface Crowd {
  acquire(job: Job, deadline: Deadline): Promise<Member>;
}

export interface CrowdsOptions {
  base: DockerBase;
  maxCrowds: number;
  idleMs: number;
  maxWaitMs: number;
  maxFrameBytes: number;
}

/** So many jobs of one kind wait at once: one that waits is no crowd. */
const WAITING_MAKE_A_CROWD = 2;
/** Processes that compute at once in one container, and those that only wait for an answer as well. */
const MAX_RUNNING = 4;
const MAX_PROCESSES = 8;
const READY_PROCESSES = 3;
/** Programs that call programs deeper than this find more room among the containers for one job. */
const CALLER_LEVELS = callerBudgets(MAX_PROCESSES).length;

/** What did not start will not a moment later. */
const TRY_AGAIN_MS = 30_000;
const NOT_STARTED = "a container for many calls did not start";

interface Open extends Crowd {
  pool: OneShotPool;
  container: SupervisedContainer;
  isReady: boolean;
  usedAt: number;
}

/** Its calls share a /tmp, in which each may use a folder of its own only; code that names /tmp itself would see that. */
const namesTmp = (job: Job) => job.program.js.includes("/tmp");

export function createCrowds(options: CrowdsOptions): Crowds {
  const { base, maxCrowds, idleMs } = options;
  const script = once(() => readFile(entryUrl("docker-supervisor")));
  const open = new Map<string, Open>();
  const waiting = new Map<string, number>();
  const starting = new Set<string>();
  const members = new Map<Member, Open>();
  const ending = new Set<Promise<unknown>>();
  let timer: NodeJS.Timeout | undefined;
  let notBefore = 0;
  let isClosed = false;

  const kindOf = (job: Job, key: string) => JSON.stringify([job.program.digest, job.scope, key]);

  async function start(kind: string, recipe: Recipe): Promise<void> {
    const container = startSupervised(base, recipe, {
      script: await script(),
      maxProcesses: MAX_PROCESSES,
      maxFrameBytes: options.maxFrameBytes,
    });
    const pool = createOneShotPool({
      engine: "docker",
      maxRunning: MAX_RUNNING,
      maxLive: MAX_PROCESSES,
      idlePerKey: READY_PROCESSES,
      idleMs,
      maxWaitMs: options.maxWaitMs,
      log: base.log,
    });
    const spawn = (): Member => {
      let process: ProcessInside | undefined;
      return createMember({
        engine: "docker",
        onWaiting: () => pool.wake(),
        explainExit: (exit) => process?.failure() ?? explainExit(exit),
        start: (onFrame) => (process = container.start(onFrame)),
      });
    };
    const crowd: Open = {
      pool,
      container,
      isReady: false,
      usedAt: performance.now(),
      async acquire(job, deadline) {
        crowd.usedAt = performance.now();
        const member = await pool.acquire("", spawn, nestedOf(job), deadline);
        members.set(member, crowd);
        return member;
      },
    };
    open.set(kind, crowd);
    void container.exited.then(() => end(kind, crowd));
    if (isClosed) return end(kind, crowd);
    // A process that is ready says that the container is: until then jobs are better off with containers of their own.
    const first = spawn();
    await first.ready.then(
      () => {
        crowd.isReady = true;
        crowd.usedAt = performance.now();
      },
      (error: Error) => {
        if (!isClosed) base.log.warn({ why: String(error.cause) }, NOT_STARTED);
        notBefore = performance.now() + TRY_AGAIN_MS;
        end(kind, crowd);
      },
    );
    first.kill();
    armTimer();
  }

  function end(kind: string, crowd: Open): void {
    if (open.get(kind) !== crowd) return;
    open.delete(kind);
    crowd.container.kill();
    const gone = Promise.all([crowd.pool.close(), crowd.container.exited]).finally(() => ending.delete(gone));
    ending.add(gone);
  }

  function armTimer(): void {
    clearTimeout(timer);
    if (isClosed || open.size === 0) return;
    timer = setTimeout(() => {
      for (const [kind, crowd] of open) {
        const isUsed = crowd.pool.counts().running + crowd.pool.counts().waiting + crowd.pool.counts().asking > 0;
        if (!isUsed && performance.now() - crowd.usedAt >= idleMs) end(kind, crowd);
      }
      armTimer();
    }, idleMs / 4);
    timer.unref();
  }

  return {
    find(job, key) {
      if (job.may.callTools && job.depth >= CALLER_LEVELS) return undefined;
      const crowd = open.get(kindOf(job, key));
      if (!crowd?.isReady) return undefined;
      return crowd.pool.counts().asking < MAX_PROCESSES ? crowd : undefined;
    },
    count(job, key, recipe) {
      if (namesTmp(job)) return () => {};
      const kind = kindOf(job, key);
      const now = (waiting.get(kind) ?? 0) + 1;
      waiting.set(kind, now);
      if (
        now > WAITING_MAKE_A_CROWD &&
        !isClosed &&
        performance.now() >= notBefore &&
        !starting.has(kind) &&
        !open.has(kind) &&
        open.size + starting.size + ending.size < maxCrowds
      ) {
        starting.add(kind);
        const started = start(kind, recipe)
          .catch((error: unknown) => base.log.warn({ why: String(error) }, NOT_STARTED))
          .finally(() => {
            starting.delete(kind);
            ending.delete(started);
          });
        ending.add(started);
      }
      return () => {
        const left = (waiting.get(kind) ?? 1) - 1;
        if (left > 0) waiting.set(kind, left);
        else waiting.delete(kind);
      };
    },
    release(member) {
      const crowd = members.get(member);
      if (!crowd) return false;
      members.delete(member);
      crowd.usedAt = performance.now();
      crowd.pool.release(member);
      return true;
    },
    counts: () => ({
      containers: open.size,
      processes: [...open.values()].reduce((sum, { pool }) => {
        const { idle, starting, running, waiting } = pool.counts();
        return sum + idle + starting + running + waiting;
      }, 0),
    }),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      for (const [kind, crowd] of open) end(kind, crowd);
      while (ending.size > 0) await Promise.all(ending);
    },
  };
}
