import { availableParallelism } from "node:os";
import { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { type Logger, SILENT } from "../../core/source.ts";
import { findJail, findNode, type JailOptions } from "../../machine/bubblewrap.ts";
import { openControlGroups } from "../../machine/cgroup.ts";
import { createMemoryWatch, LOOK_EVERY_MS } from "../../machine/memory-watch.ts";
import { ENGINE_LEVELS, type EngineHealth, type ExecutionEngine, type Job } from "../engine.ts";
import { nestedOf } from "../process/admission.ts";
import { createMember, type Member } from "../process/member.ts";
import { createOneShotPool } from "../process/one-shot-pool.ts";
import { NO_PROBE_CALLS, PROBE_JOB, probeProblem } from "../process/probe-job.ts";
import { runJob, type Sandboxes } from "../process/run-job.ts";
import { explainNodeExit, keyOf, type Sandbox, startSandbox, type Walls } from "./sandbox.ts";

export interface NodeEngineOptions {
  log?: Logger;
  /** The operator's leave to run code where no jail can be made. It is no security boundary, and is called so. */
  allowWithoutJail?: boolean;
  /** Guests that run at once; default twice the processors, at least 4. */
  maxRunning?: number;
  /** Processes in all: running, waiting, idle, starting, ending; default 32. */
  maxLive?: number;
  /** Sandboxes that are ready for the next job of a kind; default 2. */
  idlePerKey?: number;
  /** A ready sandbox that nobody wanted for this long is ended; default 5 min. */
  idleMs?: number;
  /** How long a job waits for a sandbox; default 15 s. */
  maxWaitMs?: number;
  jail?: JailOptions;
  /** Default true: control groups where they are ours. */
  usesControlGroups?: boolean;
}

/** The level of a server whose operator allowed the engine without a jail and that has none. */
const WITHOUT_JAIL_LEVEL = "Node's permissions only, not a security boundary";

/**
 * Runs bodies in Node, one fresh process each, in a jail of Linux namespaces: no network, no files but its packages,
 * no capabilities; within it Node's permissions as a second wall. The processes are started ahead.
 *
 * Nothing is started before the first job or probe.
 */
export function createNodeEngine(options: NodeEngineOptions = {}): ExecutionEngine {
  const log = options.log ?? SILENT;
  const pool = createOneShotPool({
    engine: "node",
    maxRunning: options.maxRunning ?? Math.max(4, 2 * availableParallelism()),
    maxLive: options.maxLive ?? 32,
    idlePerKey: options.idlePerKey ?? 2,
    idleMs: options.idleMs ?? 300_000,
    maxWaitMs: options.maxWaitMs ?? 15_000,
    log,
  });
  const removals = new Set<Promise<void>>();
  let looked: { walls: Promise<FoundWalls>; at: number } | undefined;
  let isClosed = false;

  /** Found once; when there was no jail it is looked for again now and then, since somebody may install it. */
  async function findWalls(): Promise<FoundWalls> {
    if (!looked || (performance.now() - looked.at > LOOK_AGAIN_MS && (await looked.walls).problem !== undefined)) {
      const walls = lookForWalls(options).catch((error: unknown): FoundWalls => ({ problem: notFound(error) }));
      looked = { walls, at: performance.now() };
    }
    return looked.walls;
  }

  function spawnFor(walls: Walls, job: Job): () => Member {
    const { limits, layer } = job;
    return () => {
      let sandbox: Sandbox | undefined;
      return createMember({
        engine: "node",
        start(onFrame) {
          sandbox = startSandbox(walls, { limits, ...(layer && { layer }) }, onFrame, remember);
          return sandbox.child;
        },
        prepare: async () => sandbox?.confine(),
        onWaiting: () => pool.wake(),
        explainExit: explainNodeExit,
      });
    };
  }

  function remember(gone: Promise<void>): void {
    removals.add(gone);
    void gone.finally(() => removals.delete(gone));
  }

  const sandboxes: Sandboxes = {
    engine: "node",
    async acquire(job, deadline) {
      const found = await findWalls();
      if (!found.walls) throw new DynamicMcpError("ENGINE_UNAVAILABLE", found.problem, { data: { engine: "node" } });
      return pool.acquire(keyOf(job), spawnFor(found.walls, job), nestedOf(job), deadline);
    },
    release: (member) => pool.release(member),
    isClosed: () => isClosed,
    log,
  };
  const run: ExecutionEngine["run"] = (job, host, deadline) => runJob(sandboxes, job, host, deadline);

  return {
    name: "node",
    run,
    async probe(): Promise<EngineHealth> {
      const { walls, problem, memory } = await findWalls();
      if (!walls) return { name: "node", isAvailable: false, level: ENGINE_LEVELS.node, problem };
      const level = walls.jail ? ENGINE_LEVELS.node : WITHOUT_JAIL_LEVEL;
      const detail = () => ({ jail: walls.jail?.jail.kind ?? "none", memory, ...pool.counts() });
      const deadline = new Deadline(PROBE_MS);
      try {
        const wrong = probeProblem(await run(PROBE_JOB, NO_PROBE_CALLS, deadline));
        if (wrong === undefined) return { name: "node", isAvailable: true, level, detail: detail() };
        return { name: "node", isAvailable: false, level, problem: wrong, detail: detail() };
      } catch (error) {
        const why = error instanceof DynamicMcpError ? error.message : String(error);
        return { name: "node", isAvailable: false, level, problem: why };
      } finally {
        deadline.close();
      }
    },
    async close() {
      isClosed = true;
      await pool.close();
      await Promise.all(removals);
    },
  };
}

const LOOK_AGAIN_MS = 30_000;
const PROBE_MS = 20_000;

type FoundWalls =
  { walls: Walls; problem?: undefined; memory: string } | { walls?: undefined; problem: string; memory?: undefined };

async function lookForWalls(options: NodeEngineOptions): Promise<FoundWalls> {
  const jail = await findJail(options.jail);
  if ("problem" in jail && options.allowWithoutJail !== true) return { problem: `${jail.problem}. ${OPT_IN}` };
  const groups = options.usesControlGroups === false ? { problem: "not wanted" } : await openControlGroups();
  const walls: Walls = { watch: createMemoryWatch() };
  if (!("problem" in jail)) walls.jail = { jail, node: await findNode() };
  if (!("problem" in groups)) walls.groups = groups;
  return { walls, memory: walls.groups?.kind ?? (process.platform === "linux" ? BY_WATCH : "V8's heap limit only") };
}

const BY_WATCH = `a watch that looks every ${LOOK_EVERY_MS} ms, so short overshoot is possible`;
const notFound = (error: unknown) =>
  `looking for what holds code in failed: ${error instanceof Error ? error.message : String(error)}`;

const OPT_IN =
  "Without a jail this engine runs nothing, unless the operator sets MCP_NODE_WITHOUT_JAIL (--node-without-jail), " +
  `which gives ${WITHOUT_JAIL_LEVEL}`;
