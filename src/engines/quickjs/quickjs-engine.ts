import { availableParallelism } from "node:os";
import { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { type Logger, SILENT } from "../../core/source.ts";
import { spawnChild } from "../../machine/process.ts";
import { ENGINE_LEVELS, type EngineHealth, type ExecutionEngine } from "../engine.ts";
import { nestedOf } from "../process/admission.ts";
import { createImportLinker } from "../process/linked-imports.ts";
import { createMember, FRAME_SLACK_BYTES } from "../process/member.ts";
import { NO_PROBE_CALLS, PROBE_JOB, probeProblem } from "../process/probe-job.ts";
import { runJob, type Sandboxes } from "../process/run-job.ts";
import { type ChildCommand, childCommand } from "./command.ts";
import { createPool } from "./pool.ts";

export interface QuickjsEngineOptions {
  log?: Logger;
  /** Guests that compute at once, one process each; never more than there are cores; default 4. */
  maxProcesses?: number;
  /** Processes in all, those whose guest only waits included; default 32. */
  maxChildren?: number;
  /** Largest result of any job, in bytes: what a child may send at most. */
  maxResultBytes?: number;
  /** How long a job waits for a free process; default 15 s. */
  maxWaitMs?: number;
  idleMs?: number;
  lastIdleMs?: number;
  recycleAfterJobs?: number;
  recycleAboveMiB?: number;
  /** How a process is started; default: locked, with this Node. */
  command?: () => ChildCommand;
}

/**
 * Runs plain bodies in QuickJS, compiled to WebAssembly, in locked child processes: no file, no network, no process to
 * reach. Each job starts from a byte-for-byte copy of the same fresh interpreter.
 *
 * `Math.random` and `crypto` follow the job's seed; `Date` starts at `startedAtMs` and then goes with real time.
 * The time zone is UTC. Nothing is started before the first job.
 */
export function createQuickjsEngine(options: QuickjsEngineOptions = {}): ExecutionEngine {
  const log = options.log ?? SILENT;
  const command = options.command ?? childCommand;
  const maxResultBytes = options.maxResultBytes ?? 64 * 1024 * 1024;
  let isClosed = false;

  const pool = createPool({
    spawn() {
      const started = { ...command(), maxFrameBytes: maxResultBytes + FRAME_SLACK_BYTES, stderrBytes: STDERR_BYTES };
      return createMember({
        engine: "quickjs",
        start: (onFrame) => spawnChild({ ...started, onFrame }),
        onWaiting: () => pool.wake(),
      });
    },
    maxRunning: Math.min(availableParallelism(), options.maxProcesses ?? 4),
    maxChildren: options.maxChildren ?? 32,
    maxWaitMs: options.maxWaitMs ?? 15_000,
    idleMs: options.idleMs ?? 10_000,
    lastIdleMs: options.lastIdleMs ?? 300_000,
    recycleAfterJobs: options.recycleAfterJobs ?? 5_000,
    recycleAboveMiB: options.recycleAboveMiB ?? 256,
    log,
  });

  const sandboxes: Sandboxes = {
    engine: "quickjs",
    acquire: (job, deadline) => pool.acquire(nestedOf(job), deadline),
    release: (member) => pool.release(member),
    isClosed: () => isClosed,
    log,
  };
  const link = createImportLinker();
  const run: ExecutionEngine["run"] = async (job, host, deadline) => runJob(sandboxes, await link(job), host, deadline);

  return {
    name: "quickjs",
    run,
    async probe(): Promise<EngineHealth> {
      const { isNetworkDenied } = command();
      const level = isNetworkDenied ? LEVEL : `${LEVEL}; on this Node the process lock does not cover the network`;
      const deadline = new Deadline(PROBE_MS);
      try {
        const end = await run(PROBE_JOB, NO_PROBE_CALLS, deadline);
        const processes = pool.members().map(({ pid, jobs, rssMiB, isWaiting }) => ({ pid, jobs, rssMiB, isWaiting }));
        const detail = { processes, waiting: pool.waiting(), isNetworkDenied };
        const problem = probeProblem(end);
        if (problem === undefined) return { name: "quickjs", isAvailable: true, level, detail };
        return { name: "quickjs", isAvailable: false, level, problem, detail };
      } catch (error) {
        const problem = error instanceof DynamicMcpError ? error.message : String(error);
        return { name: "quickjs", isAvailable: false, level, problem };
      } finally {
        deadline.close();
      }
    },
    async close() {
      isClosed = true;
      await pool.close();
    },
  };
}

const LEVEL = ENGINE_LEVELS.quickjs;
const STDERR_BYTES = 4_000;
const PROBE_MS = 20_000;
