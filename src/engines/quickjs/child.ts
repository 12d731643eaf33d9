import { Socket } from "node:net";
import { createFrameReader, frame } from "../../machine/frames.ts";
import { createInterpreter } from "./interpreter.ts";
import { createJob, type JobPort, type RunningJob } from "./job.ts";
import { type JobHead, KIND, pack, type ReplyHead, unpack } from "../process/protocol.ts";

/**
 * The locked process that holds one interpreter and runs one guest at a time. It is told what to do over a channel on
 * file descriptor 3 and ends when that channel closes.
 *
 * The guest's clock: `Date.now` and `performance.now` of this whole process are those of the job, because that is what
 * the interpreter's C library asks. Everything else here keeps the real one, taken before.
 */

const CHANNEL = 3;
const MAX_FRAME_BYTES = 512 * 1024 * 1024;
/** Calls of `rss` are not free; memory does not grow that fast. */
const RSS_EVERY_JOBS = 25;

const now = performance.now.bind(performance);
const parent = process.ppid;
let jobStartedAtMs = 0;
let jobStartedAt = 0;
Date.now = () => Math.floor(jobStartedAtMs + now() - jobStartedAt);
performance.now = () => now() - jobStartedAt;

const channel = new Socket({ fd: CHANNEL, readable: true, writable: true });
const send = (parts: Uint8Array[]) => {
  channel.cork();
  for (const part of frame(parts)) channel.write(part);
  channel.uncork();
};
const leave = () => process.exit(0);
channel.on("close", leave);
channel.on("end", leave);
channel.on("error", leave);

let job: RunningJob | undefined;
let jobs = 0;
let rssMiB = readRss();

function readRss(): number {
  return Math.round(process.memoryUsage.rss() / 1024 / 1024);
}

/**
 * After the answer is on its way: what the job has left behind. The next one may have come first, since a job that ends
 * within `setImmediate` is asked for tidying only after the next look at the channel: then `reset` has done it.
 */
async function tidy(): Promise<void> {
  if (!job) await interpreter.tidy();
}

/** What replaces the interpreter's memory happens one after the other. */
let turn: Promise<void> = Promise.resolve();
function inTurn(next: () => Promise<void> | void): void {
  turn = turn.then(next);
}

const port: JobPort = {
  now,
  call: (head, payload) => send(pack(KIND.call, head, Buffer.from(payload, "utf8"))),
  waits: (logs) => send(pack(KIND.waits, { logs })),
  runs: () => send(pack(KIND.runs, {})),
  done(head, result) {
    job = undefined;
    if (++jobs % RSS_EVERY_JOBS === 0 || head.poisoned) rssMiB = readRss();
    send(pack(KIND.done, { ...head, rssMiB }, ...(result ? [result] : [])));
    if (!head.poisoned) setImmediate(() => inTurn(tidy));
  },
  isOrphan: () => process.ppid !== parent,
};

async function start(head: JobHead, rest: Uint8Array): Promise<void> {
  await interpreter.reset(head.limits.memoryMiB);
  jobStartedAtMs = head.startedAtMs;
  jobStartedAt = now();
  job = createJob(head, interpreter, port);
  const packagesAt = head.codeBytes;
  const argsAt = packagesAt + (head.packages?.bytes ?? 0);
  job.begin(rest.subarray(0, packagesAt), rest.subarray(packagesAt, argsAt), rest.subarray(argsAt));
}

const interpreter = await createInterpreter({
  bridge: (op, text, bytes) => job?.bridge(op, text, bytes),
  shouldInterrupt: () => job?.shouldInterrupt() ?? false,
});

const reader = createFrameReader(MAX_FRAME_BYTES, (bytes) => {
  const { kind, head, rest } = unpack(bytes);
  switch (kind) {
    case KIND.job:
      inTurn(() => start(head as JobHead, rest));
      break;
    case KIND.reply:
      job?.reply(head as ReplyHead, rest);
      break;
    case KIND.end:
      // In turn, because the job that is meant may still be about to start.
      inTurn(() => job?.end());
      break;
  }
});
channel.on("data", (chunk: Buffer) => reader.push(chunk));
send(pack(KIND.ready, { rssMiB }));
