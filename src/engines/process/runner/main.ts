import { type JobHead, KIND, type ReplyHead } from "../protocol.ts";
import { leave, openChannel } from "./channel.ts";
import { createJob, type JobPort, type RunningJob } from "./job.ts";

/**
 * The program inside of a sandbox with Node: runs one job beside us in this process, and leaves. With `again` it stays
 * for the next one, which then finds what the one before has left: only for who asked for that.
 *
 * The sandbox around it is what holds the guest. All that is done here is for authors: that their code finds the same
 * world as on every engine, and that what it breaks (prototypes, globals) does not break the way of its own result.
 *
 * Its first argument says where the engine is: `3` on descriptor 3 (default), `stdio` on stdin and stdout. A second one
 * may be `again`.
 */
const decoder = new TextDecoder();
const decode = decoder.decode.bind(decoder);
const rssMiB = () => Math.round(process.memoryUsage.rss() / 1024 / 1024);

const descriptors = process.argv[2] === "stdio" ? { read: 0, write: 1 } : { read: 3, write: 3 };
const staysForMore = process.argv[3] === "again";
/** Ends after which nothing of the guest runs any more. */
const CLEAN_ENDS: readonly unknown[] = [undefined, "CODE_THREW", "RESULT_NOT_JSON", "TOO_LARGE", "NEVER_SETTLES"];
let job: RunningJob | undefined;

const channel = openChannel(descriptors, ({ kind, head, rest }) => {
  switch (kind) {
    case KIND.job:
      if (!job) start(head as JobHead, rest);
      break;
    case KIND.reply:
      job?.reply(head as ReplyHead, decode(rest));
      break;
    case KIND.end:
      job?.finish({ code: "ENDED" });
      break;
  }
});

const port: JobPort = {
  call: (head, payload) => channel.send(KIND.call, head, payload),
  waits: (logs) => channel.send(KIND.waits, { logs }),
  done(head, result) {
    if (!staysForMore) {
      channel.send(KIND.done, { ...head, rssMiB: 0 }, result);
      leave();
    }
    const poisoned = !CLEAN_ENDS.includes(head.code);
    job = undefined;
    channel.hold(true);
    channel.send(KIND.done, { ...head, rssMiB: rssMiB(), ...(poisoned && { poisoned }) }, result);
  },
  hold: (keepsAlive) => channel.hold(keepsAlive),
};

function start(head: JobHead, rest: Uint8Array): void {
  const code = decode(rest.subarray(0, head.codeBytes));
  const args = decode(rest.subarray(head.codeBytes));
  channel.hold(false);
  job = createJob(head, port);
  job.begin(code, args);
}

// Nothing is left that could settle the job's promise, or it would have been: this is what an empty loop means.
process.on("beforeExit", () => job?.finish({ code: "NEVER_SETTLES" }));
process.on("uncaughtException", (error) => job?.uncaught("Uncaught:", error));
// Node would print them, and of what is experimental in it no author can do anything about.
process.removeAllListeners("warning");
process.on("warning", (warning) => {
  if (warning.name !== "ExperimentalWarning") job?.warn(warning);
});
process.on("unhandledRejection", (error) => job?.uncaught("Uncaught in a promise:", error));
process.exit = (code) => exited(`process.exit(${code === undefined ? "" : String(code)})`);
process.abort = () => exited("process.abort()");

function exited(what: string): never {
  job?.finish({
    code: "PROCESS_EXITED",
    message: `the code called ${what} before it returned; return the result instead`,
  });
  return leave();
}

void warmUp().then(() => channel.send(KIND.ready, { rssMiB: rssMiB() }));

/** A first job that nobody asked for: V8 has compiled by then what the real one goes through. 3.6 ms become 0.9. */
function warmUp(): Promise<void> {
  return new Promise((resolve) => {
    const limits = { memoryMiB: 1, argsBytes: 100, resultBytes: 100, logBytes: 100, hostCalls: { open: 1, total: 1 } };
    const may = { callTools: true, fetch: false, readSecrets: false };
    const head = { limits, seed: "", startedAtMs: 0, may, file: "warm", remainingMs: 60_000, codeBytes: 0 };
    const warm = createJob(head, {
      call: ({ step }) => setImmediate(() => warm.reply({ step, ok: true, remainingMs: 60_000 }, "1")),
      waits() {},
      done: () => resolve(),
      hold() {},
    });
    warm.begin('console.log("%s", { a: [1] }, new Date()); return [await tools.call("warm", {}), Math.random()]', "{}");
  });
}
