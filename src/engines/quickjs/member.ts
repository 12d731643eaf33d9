import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError, type ErrorCode } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { HostCalls } from "../../core/source.ts";
import { type Child, type ChildExit, spawnChild } from "../../machine/process.ts";
import type { ConsoleLine, Job } from "../engine.ts";
import type { ChildCommand } from "./command.ts";
import { type CallHead, type EndHead, KIND, type LogsHead, pack, type ReadyHead, unpack } from "../process/protocol.ts";

/** One child of the pool, seen from here. It runs one job at a time. */
export interface Member {
  readonly pid: number | undefined;
  readonly jobs: number;
  readonly rssMiB: number;
  /** It has a job, and that job waits for a timer or for an answer from us. */
  readonly isWaiting: boolean;
  /** False once it must not get another job. */
  readonly isSound: boolean;
  /** @throws ENGINE_UNAVAILABLE when the child ended before it was ready */
  readonly ready: Promise<void>;
  readonly exited: Promise<ChildExit>;
  run(job: Job, host: HostCalls, deadline: Deadline): Promise<MemberEnd>;
  kill(): void;
}

/** How a job ended as the child says, or as its death says. */
export interface MemberEnd {
  head: Omit<EndHead, "rssMiB">;
  resultJson: string;
}

/** The child's own clock should end a job at its deadline; this much later we do. */
const KILL_GRACE_MS = 250;
/** A cancelled guest that waits answers at once; one that computes does not hear us. */
const CANCEL_GRACE_MS = 100;
const READY_WITHIN_MS = 15_000;
/** Above the limits of result and logs: heads, and JSON's escapes in log lines. */
const FRAME_SLACK_BYTES = 1024 * 1024;
const STDERR_BYTES = 4_000;

export function spawnMember(command: ChildCommand, options: { maxResultBytes: number; onWaiting(): void }): Member {
  let jobs = 0;
  let rssMiB = 0;
  let isWaiting = false;
  let isSound = true;
  let current: Run | undefined;
  let onReady = () => {};

  const child: Child = spawnChild({
    ...command,
    maxFrameBytes: options.maxResultBytes + FRAME_SLACK_BYTES,
    stderrBytes: STDERR_BYTES,
    onFrame(bytes) {
      const { kind, head, rest } = unpack(bytes);
      switch (kind) {
        case KIND.ready:
          rssMiB = (head as ReadyHead).rssMiB;
          onReady();
          break;
        case KIND.call:
          current?.onCall(head as CallHead, rest);
          break;
        case KIND.waits:
          current?.onLogs((head as LogsHead).logs);
          setWaiting(true);
          break;
        case KIND.runs:
          setWaiting(false);
          break;
        case KIND.done: {
          const end = head as EndHead;
          rssMiB = end.rssMiB;
          if (end.poisoned) isSound = false;
          current?.onDone(end, Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength).toString("utf8"));
          break;
        }
      }
    },
  });

  // Somebody waits for it to start; later its jobs hold us, and an idle one does not.
  child.hold(true);

  function setWaiting(now: boolean): void {
    if (!current || isWaiting === now) return;
    isWaiting = now;
    if (now) options.onWaiting();
  }

  void child.exited.then((exit) => {
    isSound = false;
    current?.onExit(exit);
  });

  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => child.kill(), READY_WITHIN_MS);
    timer.unref();
    onReady = () => {
      clearTimeout(timer);
      child.hold(false);
      resolve();
    };
    void child.exited.then((exit) => {
      clearTimeout(timer);
      reject(notStarted(exit));
    });
  });
  ready.catch(() => {}); // whoever waits for it hears of it

  interface Run {
    onCall(head: CallHead, payload: Uint8Array): void;
    onLogs(lines: ConsoleLine[]): void;
    onDone(end: Omit<EndHead, "rssMiB">, resultJson: string): void;
    onExit(exit: ChildExit): void;
  }

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

        /** The deadline ended, for whatever reason. A child that does not answer to it in time is killed. */
        const stop = () => {
          child.send(pack(KIND.end, {}));
          const wait = deadline.reason === "deadline" ? KILL_GRACE_MS : CANCEL_GRACE_MS;
          grace = setTimeout(() => {
            isSound = false;
            child.kill();
            finish({ code: "ENDED", logs: [], logBytesDropped: 0 });
          }, wait);
        };

        const answer = (step: number, ok: boolean, value: object | Json) => {
          if (current !== run) return;
          const text = Buffer.from(JSON.stringify(value ?? null), "utf8");
          setWaiting(false);
          child.send(pack(KIND.reply, { step, ok, remainingMs: deadline.remainingMs() }, text));
        };

        const run: Run = {
          onLogs: (lines) => void logs.push(...lines),
          onDone: finish,
          onExit: (exit) => finish({ ...codeOfExit(exit), logs: [], logBytesDropped: 0 }),
          onCall({ method, step }, payload) {
            const given = JSON.parse(Buffer.from(payload).toString("utf8")) as Json;
            host.call(method, given, step).then(
              (value) => answer(step, true, value),
              (error: unknown) => answer(step, false, describeRefusal(error)),
            );
          },
        };
        current = run;
        if (!isSound) return run.onExit({ reason: "exited", code: null, signal: null, stderr: "" });

        const code = Buffer.from(job.program.js, "utf8");
        const head = {
          limits: job.limits,
          seed: job.seed,
          startedAtMs: job.startedAtMs,
          may: job.may,
          file: fileName(job.program.name),
          remainingMs: deadline.remainingMs(),
          codeBytes: code.byteLength,
        };
        child.send(pack(KIND.job, head, code, Buffer.from(job.argsJson, "utf8")));
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

function codeOfExit(exit: ChildExit): Pick<EndHead, "code" | "message"> {
  if (exit.reason === "overflow") return { code: "TOO_LARGE", message: "the sandbox sent more than its limits allow" };
  // V8 aborts when its own heap is full.
  if (exit.signal === "SIGABRT" || exit.signal === "SIGTRAP" || exit.code === 134) return { code: "OUT_OF_MEMORY" };
  return { code: "ENGINE_CRASHED" };
}

function notStarted(exit: ChildExit): DynamicMcpError {
  // Node shows the line that failed, and the child's lines are very long.
  const told = exit.stderr
    .split("\n")
    .filter((line) => line.length < 300)
    .join("\n")
    .trim();
  return didNotStart(told === "" ? `it ended with ${exit.signal ?? `code ${exit.code}`}` : told.slice(-500));
}

/** @param cause for our log: it may name files of ours, and says nothing to a client */
export function didNotStart(cause: unknown): DynamicMcpError {
  const what =
    "the quickjs sandbox did not start; the server's log says why. Its operator should look for a lack of memory, " +
    "processes or file descriptors, or for missing files of the program; then the call can be tried again";
  return new DynamicMcpError("ENGINE_UNAVAILABLE", what, { data: { engine: "quickjs" }, cause });
}
