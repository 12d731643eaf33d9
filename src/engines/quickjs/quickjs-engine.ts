import { availableParallelism } from "node:os";
import { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../../core/errors.ts";
import { type HostCalls, type Logger, SILENT } from "../../core/source.ts";
import {
  ENGINE_LEVELS,
  type EngineHealth,
  type ExecutionEngine,
  type Job,
  type JobEnd,
  type JobFailed,
  NO_ACCESS,
} from "../engine.ts";
import { type ChildCommand, childCommand } from "./command.ts";
import { type MemberEnd, spawnMember } from "./member.ts";
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

type Failure = Pick<JobFailed, "code" | "message"> & Partial<JobFailed>;

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
    spawn: () => spawnMember(command(), { maxResultBytes, onWaiting: () => pool.wake() }),
    maxRunning: Math.min(availableParallelism(), options.maxProcesses ?? 4),
    maxChildren: options.maxChildren ?? 32,
    maxWaitMs: options.maxWaitMs ?? 15_000,
    idleMs: options.idleMs ?? 10_000,
    lastIdleMs: options.lastIdleMs ?? 300_000,
    recycleAfterJobs: options.recycleAfterJobs ?? 5_000,
    recycleAboveMiB: options.recycleAboveMiB ?? 256,
    log,
  });

  async function run(job: Job, host: HostCalls, deadline: Deadline): Promise<JobEnd> {
    const startedAt = performance.now();
    const failed = (failure: Failure): JobFailed => ({
      state: "failed",
      logs: [],
      logBytesDropped: 0,
      wallMs: performance.now() - startedAt,
      ...failure,
    });

    const argsBytes = Buffer.byteLength(job.argsJson);
    if (argsBytes > job.limits.argsBytes) {
      const message = `the arguments have ${argsBytes} bytes of JSON; at most ${job.limits.argsBytes} are allowed`;
      return failed({ code: "TOO_LARGE", message });
    }

    let member;
    try {
      member = await pool.acquire(deadline);
    } catch (error) {
      if (deadline.reason) return failed(endedBy(deadline, " while it waited for a free sandbox"));
      if (hasCode(error, "SHUTTING_DOWN")) return failed({ code: "SHUTTING_DOWN", message: error.message });
      throw error;
    }
    const own = job.runMs === undefined ? deadline : deadline.child(job.runMs);
    try {
      const end = await member.run(job, host, own);
      const { detail } = end.head;
      if (detail !== undefined) log.warn({ pid: member.pid, tool: job.program.name, detail }, CRASHED);
      return toJobEnd(end, job, deadline.reason ? deadline : own, performance.now() - startedAt);
    } finally {
      if (own !== deadline) own.close();
      pool.release(member);
    }
  }

  /** The first cause wins: what the child says after our own end does not count. */
  function toJobEnd({ head, resultJson }: MemberEnd, job: Job, deadline: Deadline, wallMs: number): JobEnd {
    const facts = { logs: head.logs, logBytesDropped: head.logBytesDropped, wallMs };
    if (deadline.reason) return { state: "failed", ...facts, ...endedBy(deadline) };
    if (head.code === undefined) return { state: "done", ...facts, resultJson };
    if (isClosed && (head.code === "ENGINE_CRASHED" || head.code === "ENDED")) {
      return { state: "failed", ...facts, code: "SHUTTING_DOWN", message: "the server is stopping" };
    }
    const code = head.code === "ENDED" ? "ENGINE_CRASHED" : head.code;
    return {
      state: "failed",
      ...facts,
      code,
      message: head.message ?? MESSAGES[code](job, deadline),
      ...(head.errorName === undefined ? {} : { errorName: head.errorName }),
      ...(head.line === undefined ? {} : { line: head.line }),
      ...(head.column === undefined ? {} : { column: head.column }),
    };
  }

  return {
    name: "quickjs",
    run,
    async probe(): Promise<EngineHealth> {
      const { isNetworkDenied } = command();
      const level = isNetworkDenied ? LEVEL : `${LEVEL}; on this Node the process lock does not cover the network`;
      const deadline = new Deadline(PROBE_MS);
      try {
        const end = await run(PROBE_JOB, { call: () => Promise.reject(new Error("not for probes")) }, deadline);
        const processes = pool.members().map(({ pid, jobs, rssMiB, isWaiting }) => ({ pid, jobs, rssMiB, isWaiting }));
        const detail = { processes, waiting: pool.waiting(), isNetworkDenied };
        if (end.state === "done" && end.resultJson === "2")
          return { name: "quickjs", isAvailable: true, level, detail };
        const problem = end.state === "failed" ? `${end.code}: ${end.message}` : `1 + 1 gave ${end.resultJson}`;
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

const CRASHED = "the interpreter in a quickjs sandbox broke down; the sandbox is replaced";
const LEVEL = ENGINE_LEVELS.quickjs;
const PROBE_MS = 20_000;
const PROBE_JOB: Job = {
  program: { js: "return 1 + args.one", digest: "", name: "probe" },
  argsJson: '{"one":1}',
  limits: { memoryMiB: 64, argsBytes: 100, resultBytes: 100, logBytes: 0, hostCalls: { open: 0, total: 0 } },
  seed: "probe",
  startedAtMs: 0,
  may: NO_ACCESS,
  scope: "probe",
};

function endedBy(deadline: Deadline, where = ""): Failure {
  const { code, message } = deadline.error();
  return { code: code as JobFailed["code"], message: message + where };
}

const MESSAGES: Record<JobFailed["code"], (job: Job, deadline: Deadline) => string> = {
  CODE_THREW: () => "the code threw something that says nothing",
  TIMEOUT: (_, deadline) => `stopped at the time limit of ${Math.round(deadline.limitMs)} ms`,
  OUT_OF_MEMORY: ({ limits }) => `stopped at the memory limit of ${limits.memoryMiB} MiB`,
  NEVER_SETTLES: () =>
    "the code waits for a promise that nothing can settle: no timer and no call to a tool is open; look for a " +
    "promise whose resolve is never called",
  RESULT_NOT_JSON: () => "the result is not JSON",
  TOO_LARGE: ({ limits }) => `the result is larger than ${limits.resultBytes} bytes of JSON`,
  CANCELLED: () => "the client cancelled the call",
  PARENT_ENDED: () => "the call that made this call has ended",
  SHUTTING_DOWN: () => "the server is stopping",
  PROCESS_EXITED: () => "the code ended its own process before it returned",
  FORBIDDEN: () => "the permission for this call was withdrawn",
  ENGINE_CRASHED: () => "the sandbox ended without an answer; it was replaced and the call can be tried again",
};
