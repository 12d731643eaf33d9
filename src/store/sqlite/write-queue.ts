import { Worker } from "node:worker_threads";
import { DynamicMcpError } from "../../core/errors.ts";
import type { Logger } from "../../core/source.ts";
import { lockedFor } from "./faults.ts";
import type { Reply, TransactionOptions } from "./transactions.ts";
import type { FromWriter, ToWriter } from "./writer.ts";
import type { WriteName, WriteRequest, Writes } from "./writes.ts";

export interface WriteQueueOptions extends TransactionOptions {
  /** The program of the writing thread. */
  writer: URL;
  log: Logger;
  /** Longest wait of a write for the locks of other processes, in ms. */
  lockWaitMs: number;
  /** The thread ends after so long without a write, in ms, and gives its memory back. */
  idleMs: number;
  /** Called after a commit, before those who waited for it go on. */
  onCommit(names: ReadonlySet<WriteName>): void;
}

export interface WriteQueue {
  write<K extends WriteName>(name: K, takes: Writes[K]["takes"]): Promise<Writes[K]["gives"]>;
  /** What the last write failed with, when that was the file's or the disk's fault. */
  readonly problem: string | undefined;
  /** Waits for writes under way. Later ones are refused. */
  drain(): Promise<void>;
  /** Drains, then ends the thread. */
  close(): Promise<void>;
}

interface Waiting {
  request: WriteRequest;
  since: number;
  resolve(gives: unknown): void;
  reject(error: Error): void;
}

const BATCH = 256;
/** Even a write that waited behind others gets a try at the lock, in ms. */
const LEAST_WAIT_MS = 250;
/** Node 22 calls its SQLite experimental, once per thread; none of our own flags are for the thread. */
const EXEC_ARGV = ["--disable-warning=ExperimentalWarning"];
/** A thread is small: rows pass through it, nothing stays. */
const RESOURCES = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256, stackSizeMb: 2 };

/**
 * Hands writes to the one thread that makes them: started at the first, one batch at a time, and what comes meanwhile is
 * the next batch. The thread keeps the process alive only while a write is under way.
 */
export function createWriteQueue(options: WriteQueueOptions): WriteQueue {
  const { log, lockWaitMs } = options;
  const waiting: Waiting[] = [];
  let underWay: Waiting[] = [];
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let problem: string | undefined;
  const ending = new Set<Promise<void>>();
  let settled = () => {};
  let draining: Promise<void> | undefined;

  function start(): Worker {
    const { file, changesKept, writer } = options;
    const workerData: TransactionOptions = { file, changesKept };
    const worker = new Worker(writer, {
      name: "sqlite-writer",
      workerData,
      execArgv: EXEC_ARGV,
      env: {},
      resourceLimits: RESOURCES,
    });
    let why = "";
    worker.on("message", (replies: FromWriter) => settle(replies));
    worker.on("error", (error: Error) => {
      why = ` (${error.message})`;
      log.error({ err: error, file }, "the thread that writes the store failed");
    });
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve())).then(() => {
      ending.delete(ended);
      if (thread !== worker) return;
      thread = undefined;
      const lost = `the thread that writes ${file} ended before its answer${why}; look whether the change is there`;
      settle(underWay.map(() => ({ ok: false, code: "STORE_UNAVAILABLE", message: lost, data: { file } }) as const));
    });
    ending.add(ended);
    return worker;
  }

  function send(): void {
    if (underWay.length > 0) return;
    if (waiting.length === 0) {
      thread?.unref();
      settled();
      idle = thread && !draining ? setTimeout(rest, options.idleMs).unref() : undefined;
      return;
    }
    clearTimeout(idle);
    underWay = waiting.splice(0, BATCH);
    const oldest = Math.min(...underWay.map(({ since }) => since));
    const waitMs = Math.max(LEAST_WAIT_MS, lockWaitMs - (performance.now() - oldest));
    try {
      thread ??= start();
    } catch (error) {
      // No thread to be had: the writes were not tried, and may be asked for again.
      const why = error instanceof Error ? error.message : String(error);
      const message = `the thread that writes ${options.file} did not start: ${why}`;
      const data = { file: options.file };
      return settle(underWay.map(() => ({ ok: false, code: "STORE_UNAVAILABLE", message, data }) as const));
    }
    thread.ref();
    try {
      thread.postMessage({ requests: underWay.map(({ request }) => request), waitMs } satisfies ToWriter);
    } catch (error) {
      // Something that cannot be cloned, which the types forbid: a bug of whoever asked, not the end of the process.
      const message = error instanceof Error ? error.message : String(error);
      settle(underWay.map(() => ({ ok: false, code: undefined, message, data: {} }) as const));
    }
  }

  function settle(replies: readonly Reply[]): void {
    const done = underWay;
    underWay = [];
    const kept = new Set(done.filter((_, index) => replies[index]?.ok).map(({ request }) => request.name));
    problem = problemOf(replies, problem);
    if (kept.size > 0) options.onCommit(kept);
    done.forEach(({ since, resolve, reject }, index) => {
      const reply = replies[index];
      if (reply?.ok) resolve(reply.gives);
      else reject(errorOf(reply, options.file, performance.now() - since));
    });
    send();
  }

  function rest(): void {
    const resting = thread;
    thread = undefined;
    resting?.postMessage("close" satisfies ToWriter);
  }

  function drain(): Promise<void> {
    clearTimeout(idle);
    draining ??=
      underWay.length + waiting.length === 0 ? Promise.resolve() : new Promise((resolve) => (settled = resolve));
    return draining;
  }

  return {
    write<K extends WriteName>(name: K, takes: Writes[K]["takes"]) {
      if (draining) return Promise.reject(new DynamicMcpError("STORE_UNAVAILABLE", "the store is closed"));
      return new Promise<Writes[K]["gives"]>((resolve, reject) => {
        // The reply is what `WRITES[name]` gave: the types of both ends are the same table.
        const take = (gives: unknown) => resolve(gives as Writes[K]["gives"]);
        const request = { name, takes } as unknown as WriteRequest;
        waiting.push({ request, since: performance.now(), resolve: take, reject });
        // What is asked for in the same turn goes in the same batch.
        if (waiting.length === 1) queueMicrotask(send);
      });
    },
    get problem() {
      return problem;
    },
    drain,
    async close() {
      await drain();
      thread?.ref();
      rest();
      await Promise.all(ending);
    },
  };
}

/** A refusal is no problem of the store; a lock of others passes by itself. */
function problemOf(replies: readonly Reply[], before: string | undefined): string | undefined {
  if (replies.some((reply) => reply.ok)) return undefined;
  const failed = replies.find((reply) => !reply.ok && (reply.data["file"] !== undefined || reply.code === undefined));
  if (!failed || failed.ok) return before;
  return failed.data["fault"] === "busy" ? before : failed.message;
}

/** @param waitedMs since the write was asked for: the thread knows the wait of its last try only */
function errorOf(reply: Extract<Reply, { ok: false }> | undefined, file: string, waitedMs: number): Error {
  if (!reply) return new Error("the writing thread gave no reply");
  if (reply.code === undefined) return new Error(`the writing thread failed: ${reply.message}`);
  const message = reply.data["fault"] === "busy" ? lockedFor(file, waitedMs) : reply.message;
  return new DynamicMcpError(reply.code, message, { data: reply.data });
}
