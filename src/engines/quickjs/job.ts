import type { ConsoleLine } from "../engine.ts";
import { OP } from "../guest/ops.ts";
import type { Thrown } from "../guest/describe.ts";
import { createPureOps } from "./host-ops.ts";
import {
  GuestThrew,
  isV8StackOverflow,
  type Interpreter,
  OutOfGuestMemory,
  type Outside,
  type Pointer,
} from "./interpreter.ts";
import type { CallHead, EndHead, JobHead, ReplyHead } from "../process/protocol.ts";
import { maxPayloadBytes, tooLargeCall } from "../process/call-payload.ts";
import { TOO_MUCH_RECURSION } from "../process/failure.ts";
import { describeFailure } from "./failure.ts";
import { AFTER, BEFORE, WRAPPER_LINES } from "../process/wrapper.ts";
import { isNestedTooDeeply, TOO_DEEP_CALL } from "../process/nesting.ts";
import { createLogBudget } from "../process/log-budget.ts";
import { seedStream, seedWords } from "../process/seed.ts";

/** What a job needs from the process around it. */
export interface JobPort {
  /** Milliseconds of a clock that only goes forward; the real one, not the guest's. */
  now(): number;
  call(head: CallHead, payload: string): void;
  /** The guest waits; here is what it logged so far. */
  waits(logs: ConsoleLine[]): void;
  /** The guest runs again by itself. */
  runs(): void;
  /** The job is over. `head` lacks what only the process knows. */
  done(head: Omit<EndHead, "rssMiB">, result?: Uint8Array): void;
  /** Somebody must end the process now: our parent is gone. */
  isOrphan(): boolean;
}

/** A job that runs or waits in this child. */
export interface RunningJob extends Outside {
  /** @param packages as one script; empty when there are none */
  begin(code: Uint8Array, packages: Uint8Array, args: Uint8Array): void;
  reply(head: ReplyHead, text: Uint8Array): void;
  end(): void;
}

/** Promise reactions between two looks at the clock. */
const SLICE_JOBS = 1_000;
/** After this long the child looks whether somebody wants it to stop. */
const YIELD_MS = 25;
const ORPHAN_CHECK_MS = 100;
const DETAIL_CHARS = 2_000;
/** In stack traces; not a name that a tool can have there. */
const PACKAGES_FILE = "npm:packages";
const WRAP_START = Buffer.from(BEFORE);
const WRAP_END = Buffer.from(AFTER);

const LEVELS = ["debug", "log", "info", "warn", "error"] as const;

export function createJob(head: JobHead, interpreter: Interpreter, port: JobPort): RunningJob {
  const { limits } = head;
  const pureOps = createPureOps(seedStream(head.seed));
  const timers = new Map<number, number>();
  let timer: NodeJS.Timeout | undefined;
  let promise: Pointer = 0;
  let isOver = false;
  let isTimedOut = false;

  // Its clock: what the guest has run, not what it has waited.
  let remainingMs = head.remainingMs;
  let enteredAt = 0;
  let orphanCheckAt = 0;

  const logs = createLogBudget(limits.logBytes);
  let steps = 0;
  let openCalls = 0;

  const isTooLong = () => port.now() - enteredAt > remainingMs;

  function shouldInterrupt(): boolean {
    const now = port.now();
    if (now > orphanCheckAt) {
      orphanCheckAt = now + ORPHAN_CHECK_MS;
      if (port.isOrphan()) process.exit(1);
    }
    isTimedOut ||= isTooLong();
    return isTimedOut;
  }

  function bridge(op: number, text: Uint8Array, bytes: Uint8Array | undefined): string | Uint8Array | undefined {
    switch (op) {
      case OP.log:
        return log(Buffer.from(text).toString("utf8"));
      case OP.call:
        return call(Buffer.from(text).toString("utf8"));
      case OP.timer: {
        const [id = 0, ms = 0] = Buffer.from(text).toString().split(" ").map(Number);
        timers.set(id, port.now() + ms);
        return undefined;
      }
      case OP.clear:
        timers.delete(Number(Buffer.from(text).toString()));
        return undefined;
      default:
        return pureOps.run(op, text, bytes);
    }
  }

  function log(line: string): undefined {
    logs.add({ level: LEVELS[Number(line[0])] ?? "log", text: line.slice(1) });
  }

  /** @returns the number of the step, or why there is none */
  function call(text: string): string {
    if (steps >= limits.hostCalls.total) return `more than ${limits.hostCalls.total} calls in one run`;
    if (openCalls >= limits.hostCalls.open) return `more than ${limits.hostCalls.open} calls open at once`;
    const { method, payload } = JSON.parse(text) as { method: string; payload: unknown };
    const json = JSON.stringify(payload);
    const bytes = Buffer.from(json, "utf8");
    const maxBytes = maxPayloadBytes(method, limits);
    if (bytes.byteLength > maxBytes) return tooLargeCall(bytes.byteLength, maxBytes);
    if (isNestedTooDeeply(bytes)) return TOO_DEEP_CALL;
    const step = steps++;
    openCalls++;
    port.call({ method, step }, json);
    return String(step);
  }

  /** Runs guest code and sees to what can come of it. */
  function enter(run: () => void): void {
    if (isOver) return;
    enteredAt = port.now();
    try {
      run();
      pump();
    } catch (error) {
      fail(error);
    } finally {
      remainingMs -= port.now() - enteredAt;
    }
  }

  /** Promise reactions until there are none, the job is settled, or it is time to look outside. */
  function pump(): void {
    const yieldAt = port.now() + YIELD_MS;
    for (;;) {
      if (settle()) return;
      if (!interpreter.hasJobs()) break;
      interpreter.runJobs(SLICE_JOBS);
      isTimedOut ||= isTooLong();
      if (isTimedOut) return finish({ code: "TIMEOUT" });
      if (port.now() > yieldAt) {
        setImmediate(() => enter(() => {}));
        return;
      }
    }
    if (openCalls === 0 && timers.size === 0) {
      // A reaction that found no memory is lost without a word, and what waits for it never goes on.
      return finish({ code: interpreter.isNearlyFull() ? "OUT_OF_MEMORY" : "NEVER_SETTLES" });
    }
    port.waits(logs.take());
    armTimer();
  }

  function settle(): boolean {
    if (isTimedOut) {
      finish({ code: "TIMEOUT" });
      return true;
    }
    const state = interpreter.promiseState(promise);
    if (state === "pending") return false;
    const value = interpreter.promiseResult(promise);
    if (state === "rejected") throw new GuestThrew(value);
    const result = interpreter.readBytes(interpreter.call("finish", value));
    if (result.byteLength > limits.resultBytes) {
      finish({
        code: "TOO_LARGE",
        message: `the result has ${result.byteLength} bytes of JSON; at most ${limits.resultBytes} are allowed`,
      });
    } else if (isNestedTooDeeply(result)) {
      finish({ code: "CODE_THREW", errorName: "RangeError", message: TOO_MUCH_RECURSION });
    } else {
      finish({}, result);
    }
    return true;
  }

  function fail(error: unknown): void {
    if (isTimedOut) return finish({ code: "TIMEOUT" });
    if (error instanceof OutOfGuestMemory) return finish({ code: "OUT_OF_MEMORY" });
    if (!(error instanceof GuestThrew)) {
      return finishPoisoned(error);
    }
    try {
      interpreter.addSlack();
      remainingMs = Math.max(remainingMs, port.now() - enteredAt + 50);
      const described = interpreter.readBytes(interpreter.call("describe", error.thrown));
      if (described.byteLength === 0) return finish({ code: "OUT_OF_MEMORY", poisoned: true });
      const thrown = JSON.parse(Buffer.from(described).toString("utf8")) as Thrown;
      finish(describeFailure(thrown, interpreter.isNearlyFull(), { file: head.file, wrapperLines: WRAPPER_LINES }));
    } catch (second) {
      if (second instanceof GuestThrew) finish({ code: isTimedOut ? "TIMEOUT" : "OUT_OF_MEMORY" });
      else finishPoisoned(second);
    }
  }

  /** A trap, or V8's own stack at its end inside the interpreter: nothing in there can be relied on any more. */
  function finishPoisoned(error: unknown): void {
    if (isV8StackOverflow(error)) {
      return finish({ code: "CODE_THREW", errorName: "RangeError", message: TOO_MUCH_RECURSION, poisoned: true });
    }
    if (interpreter.isNearlyFull()) return finish({ code: "OUT_OF_MEMORY", poisoned: true });
    const detail = String(error instanceof Error ? error.stack : error).slice(0, DETAIL_CHARS);
    finish({ code: "ENGINE_CRASHED", detail, poisoned: true });
  }

  function finish(end: Partial<EndHead>, result?: Uint8Array): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    port.done({ ...end, logs: logs.take(), logBytesDropped: logs.dropped() }, result);
  }

  function armTimer(): void {
    clearTimeout(timer);
    if (timers.size === 0) return;
    const next = Math.min(...timers.values());
    timer = setTimeout(fireDue, Math.max(0, next - port.now()));
  }

  function fireDue(): void {
    if (isOver) return;
    const now = port.now();
    const due = [...timers].filter(([, at]) => at <= now).toSorted(([idA, a], [idB, b]) => a - b || idA - idB);
    if (due.length === 0) return armTimer();
    port.runs();
    for (const [id] of due) {
      // An earlier one may have cleared it, or ended the job.
      if (isOver || !timers.delete(id)) continue;
      enter(() => void interpreter.call("fire", interpreter.number(id)));
    }
  }

  /** With packages: as the body of a function of what gives them, on the same line, so that no position moves. */
  function evaluate(code: Uint8Array, packages: Uint8Array): Pointer {
    if (!head.packages) return interpreter.evaluate(code, head.file);
    const modules = interpreter.evaluate(packages, PACKAGES_FILE);
    const start = Buffer.from(`((${head.packages.importName})=>`);
    const make = interpreter.evaluate(Buffer.concat([start, code, Buffer.from(")")]), head.file);
    return interpreter.call("link", make, modules);
  }

  return {
    bridge,
    shouldInterrupt,
    begin(code, packages, args) {
      enter(() => {
        const run = evaluate(Buffer.concat([WRAP_START, code, WRAP_END]), packages);
        const start = JSON.stringify({ seed: seedWords(head.seed), may: head.may });
        promise = interpreter.call("start", run, interpreter.string(start), interpreter.string(args));
      });
    },
    reply(answer, text) {
      openCalls--;
      remainingMs = answer.remainingMs;
      enter(
        () =>
          void interpreter.call(
            "reply",
            interpreter.number(answer.step),
            interpreter.boolean(answer.ok),
            interpreter.string(text),
          ),
      );
    },
    end() {
      finish({ code: "ENDED" });
    },
  };
}
