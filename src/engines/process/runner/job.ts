import type { ConsoleLine } from "../../engine.ts";
import { connect } from "../../guest/bridge.ts";
import { write } from "../../guest/console.ts";
import { describe, type Thrown } from "../../guest/describe.ts";
import { OP } from "../../guest/ops.ts";
import { serialize } from "../../guest/serialize.ts";
import { reply } from "../../guest/tools.ts";
import { maxPayloadBytes, tooLargeCall } from "../call-payload.ts";
import { describeFailure, hintForMissing, TOO_MUCH_RECURSION } from "../failure.ts";
import { createLogBudget } from "../log-budget.ts";
import { isNestedTooDeeply, TOO_DEEP_CALL } from "../nesting.ts";
import type { CallHead, EndHead, JobHead, ReplyHead } from "../protocol.ts";
import { seedStream } from "../seed.ts";
import { COUNTED_LINES, evaluateAuthorCode } from "./author-code.ts";
import { utf8 } from "./channel.ts";
import { installClock } from "./clock.ts";
import { installGlobals } from "./globals.ts";
import { installOutput } from "./output.ts";

/** What a job needs from the process around it. Nothing of it may be reached by the guest. */
export interface JobPort {
  call(head: CallHead, payload: Uint8Array): void;
  /** The guest waits for answers only; here is what it logged so far. */
  waits(logs: ConsoleLine[]): void;
  /** The job is over, whatever the process still does. */
  done(head: Omit<EndHead, "rssMiB">, result?: Uint8Array): void;
  /** Whether answers may still come, and the process has to stay for them. */
  hold(keepsAlive: boolean): void;
}

export interface RunningJob {
  begin(code: string, argsJson: string): void;
  reply(head: ReplyHead, text: string): void;
  /** Something threw where nobody could catch it. */
  uncaught(what: string, error: unknown): void;
  /** What Node wants to tell the author. */
  warn(warning: Error): void;
  finish(end: Partial<EndHead>, result?: Uint8Array): void;
}

// Taken before any guest runs.
const { apply } = Reflect;
const { defineProperty } = Object;
const { parse, stringify } = JSON;
const then = Promise.prototype.then;
const startTimer = setTimeout;
const stopTimer = clearTimeout;
const soon = setImmediate;
const LEVELS = ["debug", "log", "info", "warn", "error"] as const;
const MAX_TIMER_MS = 2 ** 31 - 1;

export function createJob(head: JobHead, port: JobPort): RunningJob {
  const { limits } = head;
  const logs = createLogBudget(limits.logBytes);
  const random = seedStream(head.seed);
  let isOver = false;
  let steps = 0;
  let openCalls = 0;
  let timer: NodeJS.Timeout | undefined;

  connect((op, text) => {
    switch (op) {
      case OP.log:
        return logs.add({ level: LEVELS[Number(text[0])] ?? "log", text: text.slice(1) });
      case OP.call:
        return call(text);
      case OP.random:
        return stringify(random(parse(text) as number));
      default:
        return undefined;
    }
  });
  const output = installOutput((line) => logs.add(line));

  /** @returns the number of the step, or why there is none */
  function call(text: string): string {
    if (steps >= limits.hostCalls.total) return `more than ${limits.hostCalls.total} calls in one run`;
    if (openCalls >= limits.hostCalls.open) return `more than ${limits.hostCalls.open} calls open at once`;
    const { method, payload } = parse(text) as { method: string; payload: unknown };
    const bytes = utf8(stringify(payload));
    const maxBytes = maxPayloadBytes(method, limits);
    if (bytes.byteLength > maxBytes) return tooLargeCall(bytes.byteLength, maxBytes);
    if (isNestedTooDeeply(bytes)) return TOO_DEEP_CALL;
    const step = steps++;
    if (openCalls++ === 0) {
      // Its clock is the engine's now: who answers may take time that does not count.
      stopTimer(timer);
      port.hold(true);
      soon(tellThatItWaits);
    }
    port.call({ method, step }, bytes);
    return `${step}`;
  }

  function tellThatItWaits(): void {
    if (!isOver && openCalls > 0) port.waits(logs.take());
  }

  function armTimer(remainingMs: number): void {
    stopTimer(timer);
    timer = startTimer(() => finish({ code: "TIMEOUT" }), remainingMs < MAX_TIMER_MS ? remainingMs : MAX_TIMER_MS);
    timer.unref();
  }

  function succeed(value: unknown): void {
    try {
      const result = utf8(serialize(value));
      if (isNestedTooDeeply(result)) {
        return finish({ code: "CODE_THREW", errorName: "RangeError", message: TOO_MUCH_RECURSION });
      }
      if (result.byteLength <= limits.resultBytes) return finish({}, result);
      const message = `the result has ${result.byteLength} bytes of JSON; at most ${limits.resultBytes} are allowed`;
      finish({ code: "TOO_LARGE", message });
    } catch (error) {
      fail(error);
    }
  }

  function fail(error: unknown): void {
    const thrown = parse(describe(error)) as Thrown;
    try {
      const place = { file: head.file, wrapperLines: COUNTED_LINES };
      finish(describeFailure(thrown, place, hintForMissing(thrown, {})));
    } catch {
      // The guest has changed what texts are taken apart with.
      finish({ code: "CODE_THREW", message: thrown.message });
    }
  }

  function finish(end: Partial<EndHead>, result?: Uint8Array): void {
    if (isOver) return;
    isOver = true;
    stopTimer(timer);
    output.flush();
    port.done({ ...end, logs: logs.take(), logBytesDropped: logs.dropped() }, result);
  }

  return {
    begin(code, argsJson) {
      armTimer(head.remainingMs);
      try {
        installGlobals(head.seed, head.may);
        installClock(head.startedAtMs);
        const promise = evaluateAuthorCode(code, head.file)(parse(argsJson));
        // An own `constructor`, so that the guest's changes to Promise do not decide who hears of it.
        void defineProperty(promise, "constructor", { value: undefined });
        void apply(then, promise, [succeed, fail]);
      } catch (error) {
        fail(error);
      }
    },
    reply(answer, text) {
      if (--openCalls === 0) {
        port.hold(false);
        armTimer(answer.remainingMs);
      } else {
        soon(tellThatItWaits);
      }
      reply(answer.step, answer.ok, text);
    },
    uncaught(what, error) {
      if (!isOver) write("error", [what, error]);
    },
    warn(warning) {
      if (!isOver) write("warn", [warning]);
    },
    finish,
  };
}
