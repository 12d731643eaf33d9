import { Worker } from "node:worker_threads";
import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { entryUrl } from "../entries.ts";
import { checkLock } from "./lock.ts";
import type { PackageLock } from "./packages.ts";
import type { ResolverAnswer, ResolverTask } from "./resolver.ts";

/** Enough for the largest documents and trees that the limits allow. */
const MAX_HEAP_MIB = 768;

/**
 * Resolves in a thread of its own, which is ended with the deadline.
 *
 * @throws as `PackageStore.resolve`
 */
export async function resolveInThread(task: ResolverTask, deadline: Deadline): Promise<PackageLock> {
  deadline.throwIfEnded();
  const worker = new Worker(entryUrl("package-resolver"), {
    workerData: task,
    // What is secret in ours is not its business; what Node itself takes from there, Node has taken.
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  let stopListening = () => {};
  try {
    const answer = await new Promise<ResolverAnswer>((resolve, reject) => {
      stopListening = deadline.onEnd(() => reject(deadline.error()));
      worker.once("message", resolve);
      worker.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? tooMuch(error) : error)); // prettier-ignore
      worker.once("exit", (code) => reject(new Error(`the resolver ended with code ${code} and without an answer`)));
    });
    if ("lock" in answer) {
      checkLock(answer.lock, task.limits.maxPackages);
      return answer.lock;
    }
    if ("refusal" in answer) throw refused(answer.refusal);
    throw new Error(`the resolver failed: ${answer.fault}`);
  } finally {
    stopListening();
    await worker.terminate();
  }
}

const refused = ({ code, message, data }: Extract<ResolverAnswer, { refusal: unknown }>["refusal"]) =>
  new DynamicMcpError(code, message, { data });

const tooMuch = (cause: unknown) =>
  new DynamicMcpError("PACKAGE_TOO_LARGE", "what these packages depend on is too much to resolve", { cause });
