import type { Deadline } from "../../core/deadline.ts";
import { hasCode } from "../../core/errors.ts";
import type { HostCalls, Logger } from "../../core/source.ts";
import type { EngineName, Job, JobEnd, JobFailed } from "../engine.ts";
import type { LinkedJob } from "./linked-imports.ts";
import type { Member, MemberEnd } from "./member.ts";

/** Where jobs get their sandboxes from. */
export interface Sandboxes {
  engine: EngineName;
  /**
   * A sandbox for one job. Each is given back.
   * @throws the deadline's error when it ends first; SHUTTING_DOWN, ENGINE_UNAVAILABLE, OVERLOADED
   */
  acquire(job: Job, deadline: Deadline): Promise<Member>;
  /** @param end of its job; absent when there is none, since something of ours failed */
  release(member: Member, end?: JobEnd): void;
  isClosed(): boolean;
  log: Logger;
}

type Failure = Pick<JobFailed, "code" | "message"> & Partial<JobFailed>;

/** `ExecutionEngine.run` of every engine made of processes. */
export async function runJob(
  sandboxes: Sandboxes,
  job: LinkedJob,
  host: HostCalls,
  deadline: Deadline,
): Promise<JobEnd> {
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
    member = await sandboxes.acquire(job, deadline);
  } catch (error) {
    if (deadline.reason) return failed(endedBy(deadline, " while it waited for a free sandbox"));
    if (hasCode(error, "SHUTTING_DOWN")) return failed({ code: "SHUTTING_DOWN", message: error.message });
    throw error;
  }
  const own = job.runMs === undefined ? deadline : deadline.child(job.runMs);
  let jobEnd: JobEnd | undefined;
  try {
    const end = await member.run(job, host, own);
    const { detail } = end.head;
    if (detail !== undefined) {
      sandboxes.log.warn({ pid: member.pid, tool: job.program.name, detail }, crashed(sandboxes.engine));
    }
    const cause = deadline.reason ? deadline : own;
    jobEnd = toJobEnd(end, job, cause, performance.now() - startedAt, sandboxes.isClosed());
    return jobEnd;
  } finally {
    if (own !== deadline) own.close();
    sandboxes.release(member, jobEnd);
  }
}

const crashed = (engine: EngineName) => `the inside of a ${engine} sandbox broke down; the sandbox is replaced`;

/** The first cause wins: what the child says after our own end does not count. */
function toJobEnd(end: MemberEnd, job: Job, deadline: Deadline, wallMs: number, isClosed: boolean): JobEnd {
  const { head, resultJson } = end;
  const facts = { logs: head.logs, logBytesDropped: head.logBytesDropped, wallMs };
  if (deadline.reason) return { state: "failed", ...facts, ...endedBy(deadline) };
  if (head.code === undefined) return { state: "done", ...facts, resultJson };
  if (isClosed && DEATHS.has(head.code)) {
    return { state: "failed", ...facts, code: "SHUTTING_DOWN", message: "the server is stopping" };
  }
  const code = head.code === "ENDED" ? "ENGINE_CRASHED" : head.code;
  return {
    state: "failed",
    ...facts,
    code,
    message: head.message ?? MESSAGES[code](job, deadline),
    ...(head.errorName === undefined ? {} : { errorName: head.errorName }),
    ...(head.errorCode === undefined ? {} : { errorCode: head.errorCode }),
    ...(head.line === undefined ? {} : { line: head.line }),
    ...(head.column === undefined ? {} : { column: head.column }),
  };
}

/** Ends that may be our own doing when we close. */
const DEATHS: ReadonlySet<unknown> = new Set(["ENGINE_CRASHED", "PROCESS_EXITED", "ENDED"]);

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
