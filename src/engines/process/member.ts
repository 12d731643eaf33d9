import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError, type ErrorCode } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { HostCalls } from "../../core/source.ts";
import type { Child, ChildExit } from "../../machine/process.ts";
import type { ConsoleLine, EngineName, JobLimits } from "../engine.ts";
import { type Claims, createClaims, readJson, RuleBroken } from "./claims.ts";
import type { LinkedJob } from "./linked-imports.ts";
import { type EndHead, KIND, outlineOf, pack, type ReadyHead, unpack } from "./protocol.ts";

/** One sandbox, seen from here: a child process (or a connection to one) that runs one job at a time. */
export interface Member {
  readonly pid: number | undefined;
  readonly jobs: number;
  /** As it says itself. */
  readonly rssMiB: number;
  /** It has a job, and that job waits for a timer or for an answer from us. */
  readonly isWaiting: boolean;
  /** False once it must not get another job. */
  readonly isSound: boolean;
  /** @throws ENGINE_UNAVAILABLE when the child ended before it was ready */
  readonly ready: Promise<void>;
  readonly exited: Promise<ChildExit>;
  run(job: LinkedJob, host: HostCalls, deadline: Deadline): Promise<MemberEnd>;
  kill(): void;
}

/** How a job ended as the child says, or as its death says. */
export interface MemberEnd {
  head: Omit<EndHead, "rssMiB">;
  /** JSON text; empty when the job failed. */
  resultJson: string;
}

export interface MemberOptions {
  engine: EngineName;
  /** Starts the child, or connects to it. Its frames may come at once. */
  start(onFrame: (frame: Uint8Array) => void): Child;
  /** What else has to be done before the first job, once the child is ready. @throws what goes to our log */
  prepare?(): Promise<void>;
  /** The guest began to wait. */
  onWaiting?(): void;
  /** What it means that the child ended in the middle of a job; default: the sandbox crashed. */
  explainExit?(exit: ChildExit): Failure;
  /** Default 15 s. */
  readyWithinMs?: number;
}

export type Failure = Required<Pick<EndHead, "code">> & Pick<EndHead, "message" | "detail">;

/** The child's own clock should end a job at its deadline; this much later we do. */
const KILL_GRACE_MS = 250;
/** A cancelled guest that waits answers at once; one that computes does not hear us. */
const CANCEL_GRACE_MS = 100;
const READY_WITHIN_MS = 15_000;
/** A child without a job has nothing to say but what was on its way: one that goes on is ended. */
const MAX_IDLE_FRAMES = 16;
/** Above the limits of result and logs: heads, and JSON's escapes in log lines. */
export const FRAME_SLACK_BYTES = 1024 * 1024;
const READY_BYTES = 1024;
/** Answers that wait for a guest to read them. Honest ones compute for a while; who never reads has us keep them all. */
const MIN_BACKLOG_BYTES = 64 * 1024 * 1024;
const backlogLimit = ({ resultBytes }: JobLimits) => Math.max(MIN_BACKLOG_BYTES, 4 * (resultBytes + FRAME_SLACK_BYTES));

/** What a run does with what its child says; may throw RuleBroken. */
interface Run {
  onFrame(bytes: Uint8Array): void;
  onExit(exit: ChildExit): void;
  onBroken(error: unknown): void;
}

/**
 * Nothing that the child says is believed unseen, see {@link Claims}: what breaks the rules ends the job and the child.
 */
export function createMember(options: MemberOptions): Member {
  let jobs = 0;
  let rssMiB = 0;
  let isWaiting = false;
  let isSound = true;
  let current: Run | undefined;
  let idleFrames = 0;
  let isReady = false;
  let onReady = () => {};

  function hear(bytes: Uint8Array): void {
    const { kind, headBytes } = outlineOf(bytes);
    if (kind === KIND.ready) {
      if (isReady || headBytes > READY_BYTES) throw new RuleBroken("it is ready more than once");
      isReady = true;
      rssMiB = Number((unpack(bytes).head as Partial<ReadyHead> | null)?.rssMiB) || 0;
      onReady();
    } else if (current) {
      current.onFrame(bytes);
    } else if (++idleFrames > MAX_IDLE_FRAMES) {
      throw new RuleBroken("a flood of frames without a job");
    }
  }

  const child = options.start((bytes) => {
    try {
      hear(bytes);
    } catch (error) {
      breakOff(error);
    }
  });

  /** It did what no child of ours does. */
  function breakOff(error: unknown): void {
    isSound = false;
    child.kill();
    current?.onBroken(error);
  }

  // Somebody waits for it to start; later its jobs hold us, and an idle one does not.
  child.hold(true);

  function setWaiting(now: boolean): void {
    if (!current || isWaiting === now) return;
    isWaiting = now;
    if (now) options.onWaiting?.();
  }

  void child.exited.then((exit) => {
    isSound = false;
    current?.onExit(exit);
  });

  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => child.kill(), options.readyWithinMs ?? READY_WITHIN_MS);
    timer.unref();
    onReady = () => {
      const done = () => {
        clearTimeout(timer);
        if (!current) child.hold(false);
        resolve();
      };
      if (!options.prepare) return done();
      options.prepare().then(done, (error: unknown) => {
        reject(didNotStart(options.engine, error));
        isSound = false;
        child.kill();
      });
    };
    void child.exited.then((exit) => {
      clearTimeout(timer);
      reject(notStarted(options.engine, exit));
    });
  });
  ready.catch(() => {}); // whoever waits for it hears of it

  return {
    pid: child.pid,
    get jobs() {
      return jobs;
    },
    get rssMiB() {
      return rssMiB;
    },
    get isWaiting() {
      return isWaiting;
    },
    get isSound() {
      return isSound;
    },
    ready,
    exited: child.exited,
    kill() {
      isSound = false;
      child.kill();
    },

    run(job, host, deadline) {
      jobs++;
      child.hold(true);
      return new Promise<MemberEnd>((resolve) => {
        const claims: Claims = createClaims(job.limits, job.may, () => performance.now());
        const logs: ConsoleLine[] = [];
        let grace: NodeJS.Timeout | undefined;
        let stopListening = () => {};

        const finish = (end: Omit<EndHead, "rssMiB">, resultJson = "") => {
          if (current !== run) return;
          current = undefined;
          isWaiting = false;
          clearTimeout(grace);
          stopListening();
          child.hold(false);
          resolve({ head: { ...end, logs: [...logs, ...end.logs] }, resultJson });
        };
        const fail = (failure: Failure) => finish({ ...failure, logs: [], logBytesDropped: 0 });

        /** The deadline ended, for whatever reason. A child that does not answer to it in time is killed. */
        const stop = () => {
          child.send(pack(KIND.end, {}));
          const wait = deadline.reason === "deadline" ? KILL_GRACE_MS : CANCEL_GRACE_MS;
          grace = setTimeout(() => {
            isSound = false;
            child.kill();
            fail({ code: "ENDED" });
          }, wait);
        };

        const answer = (step: number, ok: boolean, value: object | Json) => {
          if (current !== run) return;
          if (child.backlogBytes() > backlogLimit(job.limits)) {
            return breakOff(new RuleBroken("it does not read its answers", "TOO_LARGE"));
          }
          claims.answered();
          const text = Buffer.from(JSON.stringify(value ?? null), "utf8");
          setWaiting(false);
          child.send(pack(KIND.reply, { step, ok, remainingMs: deadline.remainingMs() }, text));
        };

        const onCall = (head: unknown, payload: Uint8Array) => {
          const { method, step } = claims.call(head, payload);
          const given = readJson(payload);
          host.call(method, given, step).then(
            (value) => answer(step, true, value),
            (error: unknown) => answer(step, false, describeRefusal(error)),
          );
        };

        const run: Run = {
          onFrame(bytes) {
            claims.frame(outlineOf(bytes));
            const { kind, head, rest } = unpack(bytes);
            switch (kind) {
              case KIND.call:
                return onCall(head, rest);
              case KIND.waits:
                for (const line of claims.lines(head)) logs.push(line);
                return setWaiting(true);
              case KIND.runs:
                return setWaiting(false);
              case KIND.done: {
                const end = claims.end(head, rest);
                rssMiB = end.head.rssMiB;
                if (end.head.poisoned) isSound = false;
                return finish(end.head, end.resultJson);
              }
              default:
                throw new RuleBroken("a frame of an unknown kind");
            }
          },
          onExit: (exit) => fail((options.explainExit ?? explainExit)(exit)),
          onBroken(error) {
            const { code, message } = error instanceof RuleBroken ? error : new RuleBroken("a frame that is none");
            fail({ code, message });
          },
        };
        current = run;
        idleFrames = 0;
        if (!isSound) return fail({ code: "ENGINE_CRASHED" });

        const { importName } = job;
        const code = Buffer.from(job.program.js, "utf8");
        const packages = Buffer.from(importName === undefined ? "" : (job.bundle?.js ?? ""), "utf8");
        const head = {
          limits: job.limits,
          seed: job.seed,
          startedAtMs: job.startedAtMs,
          may: job.may,
          file: fileName(job.program.name),
          remainingMs: deadline.remainingMs(),
          codeBytes: code.byteLength,
          ...(importName !== undefined && { packages: { bytes: packages.byteLength, importName } }),
        };
        child.send(pack(KIND.job, head, code, packages, Buffer.from(job.argsJson, "utf8")));
        // After the job is sent: when it has ended already, its end must not come first.
        stopListening = deadline.onEnd(stop);
      });
    },
  };
}

/** A refusal of the line reaches the guest with its code; a bug of ours only as such. */
function describeRefusal(error: unknown): { message: string; code: ErrorCode; data: unknown } {
  if (error instanceof DynamicMcpError) return { message: error.message, code: error.code, data: error.data };
  return { message: "the call failed inside the server", code: "INTERNAL", data: {} };
}

/** Names come from people; a stack frame must stay readable by a pattern. */
const fileName = (name: string) => name.replace(/[^\w.-]/g, "_").slice(0, 100) || "tool";

/** What every engine's child can end of. */
export function explainExit(exit: ChildExit): Failure {
  if (exit.reason === "overflow") return { code: "TOO_LARGE", message: "the sandbox sent more than its limits allow" };
  if (exit.reason === "out-of-memory" || isAbort(exit)) return { code: "OUT_OF_MEMORY" };
  return { code: "ENGINE_CRASHED" };
}

/** V8 aborts when its own heap is full; a shell or a jail around it tells of a signal by a number above 128. */
function isAbort({ signal, code }: ChildExit): boolean {
  return signal === "SIGABRT" || signal === "SIGTRAP" || code === 128 + 6 || code === 128 + 5;
}

function notStarted(engine: EngineName, exit: ChildExit): DynamicMcpError {
  // Node shows the line that failed, and the child's lines are very long.
  const told = exit.stderr
    .split("\n")
    .filter((line) => line.length < 300)
    .join("\n")
    .trim();
  return didNotStart(engine, told === "" ? `it ended with ${exit.signal ?? `code ${exit.code}`}` : told.slice(-500));
}

/** @param cause for our log: it may name files of ours, and says nothing to a client */
export function didNotStart(engine: EngineName, cause: unknown): DynamicMcpError {
  const what =
    `the ${engine} sandbox did not start; the server's log says why. Its operator should look for a lack of memory, ` +
    "processes or file descriptors, or for missing files of the program; then the call can be tried again";
  return new DynamicMcpError("ENGINE_UNAVAILABLE", what, { data: { engine }, cause });
}
