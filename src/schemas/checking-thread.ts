import { Worker } from "node:worker_threads";
import type { Problem } from "../core/problems.ts";
import type { FromChecker, ToChecker } from "./checker.ts";

export interface CheckingThreadOptions {
  /** The program of the thread. */
  checker: URL;
  /** For preparing a schema and for one check, in ms; then the thread is ended and a new one goes on. */
  maxCheckMs: number;
  /** A schema that took longer is refused at once for so long, in ms. */
  penaltyMs: number;
  /** The thread ends after so long without a check, in ms. */
  idleMs: number;
}

export interface CheckingThread {
  /** @returns what is wrong; also that it could not be found out in time. Never throws */
  check(request: ToChecker): Promise<readonly Problem[]>;
}

interface Job {
  request: ToChecker;
  /** What is known already, should the rest take too long. */
  first?: readonly Problem[];
  resolve(problems: readonly Problem[]): void;
}

/** Checks that wait, in all and for one schema. */
const MAX_WAITING = 1_000;
const MAX_WAITING_OF_ONE = 500;
/** Longest time for a thread to start on a busy machine, in ms. */
const START_MS = 20_000;
/** Schemas whose time or penalty is remembered. */
const MAX_SPENT = 1_000;
/** Node 22 calls its type stripping experimental; none of our own flags are for the thread. */
const EXEC_ARGV = ["--disable-warning=ExperimentalWarning"];
/**
 * More than a check can fill in its time. The space for young objects is small on purpose: with a large one V8 may end
 * the whole process instead of the thread when there is no more.
 */
const RESOURCES = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512, stackSizeMb: 4 };

/**
 * Runs checks in a thread of their own, because regular expressions, `uniqueItems` and references can take hours on the
 * right value. One at a time; the schema that has had the least time so far is next, so that a slow one holds up itself
 * first. The thread is started at the first check and keeps the process alive only during one.
 */
export function createCheckingThread(options: CheckingThreadOptions): CheckingThread {
  const { maxCheckMs, penaltyMs } = options;
  const waiting: Job[] = [];
  /** By mark of the schema, in ms; oldest first. */
  const spent = new Map<string, number>();
  /** By mark of the schema: when it may be tried again. */
  const penalties = new Map<string, number>();
  let thread: { worker: Worker; isReady: boolean } | undefined;
  let underWay: Job | undefined;
  let since = 0;
  let clock: NodeJS.Timeout | undefined;
  const refusal = fault(
    `takes longer than ${maxCheckMs} ms to check: the schema took too long a moment ago; ${SIMPLER}`,
  );

  function start(): NonNullable<typeof thread> {
    const worker = new Worker(options.checker, {
      name: "schema-checker",
      execArgv: EXEC_ARGV,
      env: {},
      resourceLimits: RESOURCES,
    });
    const started = { worker, isReady: false };
    let why = "the thread for checks ended";
    worker.on("message", (message: FromChecker) => {
      if (thread !== started) return;
      if (message === "prepared") return restart();
      if (message !== "ready") return take(message);
      started.isReady = true;
      next();
    });
    worker.on("error", (error: Error) => (why = error.message));
    worker.once("exit", () => {
      if (thread === started) lose(`cannot be checked: ${why}`);
    });
    return started;
  }

  function next(): void {
    if (underWay) return;
    if (waiting.length === 0) {
      thread?.worker.unref();
      clearTimeout(clock);
      clock = setTimeout(rest, options.idleMs).unref();
      return;
    }
    if (!thread) return begin();
    if (!thread.isReady) return;
    thread.worker.ref();
    const job = waiting.splice(mostPatient(), 1)[0];
    if (!job) return;
    underWay = job;
    since = performance.now();
    restart();
    thread.worker.postMessage(job.request);
  }

  function restart(): void {
    clearTimeout(clock);
    clock = setTimeout(stop, maxCheckMs);
  }

  function begin(): void {
    clearTimeout(clock);
    try {
      thread = start();
      clock = setTimeout(() => lose(`cannot be checked: no thread for it started within ${START_MS} ms`), START_MS);
    } catch (error) {
      lose(`cannot be checked: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** The place of the one whose schema has had the least time. */
  function mostPatient(): number {
    const times = waiting.map(({ request }) => spent.get(request.mark) ?? 0);
    return times.indexOf(Math.min(...times));
  }

  function take({ problems, isLast }: Extract<FromChecker, object>): void {
    if (!underWay) return;
    if (isLast) finish(problems);
    else underWay.first = problems;
  }

  function finish(problems: readonly Problem[]): void {
    const job = underWay;
    underWay = undefined;
    if (job) {
      const { mark } = job.request;
      const before = spent.get(mark) ?? 0;
      spent.delete(mark);
      spent.set(mark, before + performance.now() - since);
      for (const oldest of spent.keys()) {
        if (spent.size <= MAX_SPENT) break;
        spent.delete(oldest);
      }
      job.resolve(problems);
    }
    next();
  }

  /** The time of the check under way is over. */
  function stop(): void {
    const job = underWay;
    if (!job) return;
    drop();
    penalize(job.request.mark);
    finish(job.first ?? [fault(`takes longer than ${maxCheckMs} ms to check; ${SIMPLER}`)]);
  }

  function penalize(mark: string): void {
    const now = performance.now();
    for (const [each, until] of penalties) if (until <= now) penalties.delete(each);
    if (penaltyMs <= 0) return;
    penalties.set(mark, now + penaltyMs);
    if (penalties.size > MAX_SPENT) penalties.delete([...penalties.keys()][0] ?? "");
    const refused = waiting.filter(({ request }) => request.mark === mark);
    const others = waiting.filter(({ request }) => request.mark !== mark);
    waiting.splice(0, waiting.length, ...others);
    for (const each of refused) each.resolve([refusal]);
  }

  /** There is no thread: who waits for one hears so, instead of waiting for the next that fails the same way. */
  function lose(message: string): void {
    const mark = underWay?.request.mark;
    drop();
    if (mark !== undefined) {
      // It ran out of memory, most likely: the others are not to blame.
      penalize(mark);
      return finish([fault(message)]);
    }
    for (const job of waiting.splice(0)) job.resolve([fault(message)]);
    next();
  }

  function drop(): void {
    clearTimeout(clock);
    const worker = thread?.worker;
    thread = undefined;
    worker?.unref();
    void worker?.terminate();
  }

  function rest(): void {
    if (!underWay && waiting.length === 0) drop();
  }

  return {
    check(request) {
      const { mark } = request;
      if ((penalties.get(mark) ?? 0) > performance.now()) return Promise.resolve([refusal]);
      const ofOne = waiting.filter((job) => job.request.mark === mark).length;
      if (waiting.length >= MAX_WAITING || ofOne >= MAX_WAITING_OF_ONE) {
        return Promise.resolve([fault("cannot be checked now: too many checks wait already; try again later")]);
      }
      return new Promise((resolve) => {
        waiting.push({ request, resolve });
        if (!underWay) next();
      });
    },
  };
}

const SIMPLER = "send less, or make the patterns and references of the schema simpler";
const fault = (message: string): Problem => ({ path: "", message });
