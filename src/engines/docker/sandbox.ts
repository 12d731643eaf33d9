import { randomBytes } from "node:crypto";
import { type DynamicMcpError, hasCode } from "../../core/errors.ts";
import type { Containers, ContainerFacts, ContainerSpec } from "../../machine/docker/containers.ts";
import { raced } from "../../machine/docker/docker.ts";
import { DockerError, hasStatus, isAnswerLost } from "../../machine/docker/docker-error.ts";
import type { DockerStream } from "../../machine/docker/stream.ts";
import { createFrameReader, frame } from "../../machine/frames.ts";
import type { Child, ChildExit } from "../../machine/process.ts";
import type { Failure } from "../process/member.ts";

export interface SandboxOptions {
  containers: Containers;
  spec: ContainerSpec;
  /** Written to the container before any frame. */
  preface: Uint8Array;
  onFrame(frame: Uint8Array): void;
  /** Largest frame that is read; a larger one ends the container. */
  maxFrameBytes: number;
  /** Between its making and its start, when it can still be looked at. @throws to give it up */
  onCreated?(id: string): Promise<void>;
  /** It has an id, until `onRemoved`. */
  onMade(id: string): void;
  /** Its runtime has a kernel of its own, which ends without the daemon knowing why. */
  hasOwnKernel: boolean;
  /** Takes care that it goes, also when the daemon does not answer now. */
  remove(id: string): Promise<void>;
}

/** A container with a program that talks in frames over its input and output, seen as any child process of ours. */
export interface SandboxChild extends Child {
  /** Why it ended, in the terms of a job; only to be asked after `exited`. */
  failure(): Failure;
  /** Why it did not start, when the daemon said no. */
  readonly refusal: DockerError | undefined;
  /** Why it did not start, or was lost while it ran, when the daemon could not be asked any more. */
  readonly loss: DynamicMcpError | undefined;
}

const STDERR_BYTES = 4_000;
/** Nothing of ours writes there, but V8 as it dies: more than this is a flood. */
const MAX_STDERR_BYTES = 1024 * 1024;
/** Its streams end a moment before the daemon knows that it has ended. */
const SETTLE_MS = 3_000;

/**
 * Returns at once; the container is made, attached and started meanwhile, and what is sent before waits for it.
 *
 * `exited` resolves when nothing of it runs any more. There is no auto-remove: that would lose why it ended.
 */
export function startSandbox(options: SandboxOptions): SandboxChild {
  const { containers } = options;
  const stopped = new AbortController();
  let stream: DockerStream | undefined;
  let waiting: Uint8Array[] | undefined = [options.preface];
  let reason: ChildExit["reason"] = "exited";
  let isHeld = false;
  let isGone = false;
  let isConnectionLost = false;
  let refusal: DockerError | undefined;
  let loss: DynamicMcpError | undefined;
  let facts: ContainerFacts | undefined;
  let stderr: Buffer = Buffer.alloc(0);
  let stderrBytes = 0;

  function kill(as: ChildExit["reason"]): void {
    if (isGone || reason !== "exited") return;
    reason = as;
    stopped.abort(new Error("the sandbox was ended"));
    stream?.destroy();
  }

  const reader = createFrameReader(options.maxFrameBytes, options.onFrame);
  const handlers = {
    onStdout(chunk: Uint8Array) {
      try {
        if (reason === "exited") reader.push(chunk);
      } catch (error) {
        stderr = Buffer.from(String(error));
        kill("overflow");
      }
    },
    onStderr(chunk: Uint8Array) {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES);
      stderrBytes += chunk.byteLength;
      if (stderrBytes > MAX_STDERR_BYTES) kill("overflow");
    },
  };

  /**
   * Asked for once more when the answer was lost: under the same name it is made once, whatever the daemon heard. Nobody
   * else has that name, so what has it already is what we asked for.
   */
  async function createOnce(name: string, signal: AbortSignal): Promise<string> {
    const ask = async () => {
      try {
        return await containers.create(options.spec, { name });
      } catch (error) {
        const made = hasStatus(error, 409) ? await containers.inspect(name) : undefined;
        if (!made) throw error;
        return made.id;
      }
    };
    return ask().catch((error: unknown) => {
      if (!isAnswerLost(error) || signal.aborted) throw error;
      return ask();
    });
  }

  /** What is made after all, though nobody waits for it or knows of it, is removed. */
  async function create(signal: AbortSignal): Promise<string> {
    const name = `dynamic-mcp-${randomBytes(12).toString("hex")}`;
    const creating = createOnce(name, signal).then((made) => {
      options.onMade(made);
      return made;
    });
    try {
      return await raced(creating, signal);
    } catch (error) {
      const removed = creating.then(options.remove, (why: unknown) => {
        if (isAnswerLost(why) || hasStatus(why, 409)) return options.remove(name);
      });
      removed.catch(() => {}); // it never rejects
      throw error;
    }
  }

  async function live(): Promise<ChildExit> {
    let id: string | undefined;
    try {
      const { signal } = stopped;
      id = await create(signal);
      await options.onCreated?.(id);
      stream = await containers.attach(id, handlers, { signal });
      await containers.start(id, { signal });
      signal.throwIfAborted();
      stream.hold(isHeld);
      for (const bytes of waiting ?? []) stream.write(bytes);
      waiting = undefined;
      const broken = await stream.ended;
      if (reason === "exited") {
        isConnectionLost = broken !== undefined;
        facts = await ended(containers, id);
        isConnectionLost ||= facts === undefined;
      }
    } catch (error) {
      stream?.destroy();
      if (reason === "exited") {
        if (error instanceof DockerError) {
          refusal = error;
          if (id !== undefined) facts = await containers.inspect(id).catch(() => undefined);
        } else {
          isConnectionLost = true;
          if (hasCode(error, "ENGINE_UNAVAILABLE")) loss = error;
        }
        reason = waiting === undefined ? "exited" : "unspawned";
        stderr = Buffer.from(error instanceof Error ? error.message : String(error));
      }
    } finally {
      isGone = true;
      const removed = id === undefined ? undefined : options.remove(id);
      // What ended by itself has no process left; what is killed has, until it is removed.
      if (reason !== "exited") await removed;
    }
    if (reason === "exited" && facts && ranOutOfMemory(facts, options.hasOwnKernel)) reason = "out-of-memory";
    const code = facts?.exitCode ?? null;
    return { reason, code, signal: null, stderr: stderr.toString("utf8").trim() };
  }

  return {
    pid: undefined,
    exited: live(),
    get refusal() {
      return refusal;
    },
    get loss() {
      return loss;
    },
    kill: () => kill("killed"),
    hold(keepsUsAlive) {
      isHeld = keepsUsAlive;
      stream?.hold(keepsUsAlive);
    },
    send(parts) {
      if (isGone || reason !== "exited") return;
      for (const part of frame(parts)) {
        if (waiting) waiting.push(part);
        else stream?.write(part);
      }
    },
    backlogBytes() {
      const bytes = waiting?.reduce((sum, part) => sum + part.byteLength, 0) ?? 0;
      return bytes + (stream?.backlogBytes() ?? 0);
    },
    failure: () => explain({ reason, isConnectionLost, facts }),
  };
}

/** @returns undefined when it still runs, though it has closed its output, or is not there any more */
async function ended(containers: Containers, id: string): Promise<ContainerFacts | undefined> {
  try {
    await containers.wait(id, { timeoutMs: SETTLE_MS });
    const facts = await containers.inspect(id, { timeoutMs: SETTLE_MS });
    return facts?.isRunning === true ? undefined : facts;
  } catch {
    return undefined;
  }
}

/**
 * gVisor's kernel is ended like any process when the container's memory is full, and the daemon is told of neither: it
 * sees 2 (as that kernel's own end) or 137. A guest that ends itself by these numbers is taken for the same.
 */
const KERNEL_DEATHS: ReadonlySet<number> = new Set([2, 128 + 9]);

function ranOutOfMemory({ isOomKilled, exitCode }: ContainerFacts, hasOwnKernel: boolean): boolean {
  return isOomKilled || (hasOwnKernel && KERNEL_DEATHS.has(exitCode));
}

/** V8 ends itself so when its heap is full. As the first process of a container it cannot get its own SIGABRT. */
const ABORTS: ReadonlySet<number> = new Set([128 + 4, 128 + 5, 128 + 6, 128 + 11]);
/** SIGXCPU and SIGKILL at the limit of CPU seconds. */
const CPU_LIMIT: ReadonlySet<number> = new Set([128 + 24]);

function explain(end: {
  reason: ChildExit["reason"];
  isConnectionLost: boolean;
  facts: ContainerFacts | undefined;
}): Failure {
  if (end.reason === "overflow") return { code: "TOO_LARGE", message: "the sandbox sent more than its limits allow" };
  if (end.reason === "out-of-memory") return { code: "OUT_OF_MEMORY" };
  const code = end.facts?.exitCode;
  if (end.isConnectionLost || code === undefined) {
    return {
      code: "ENGINE_CRASHED",
      message: "the Docker daemon went away while the code ran; try again when it is back",
    };
  }
  if (ABORTS.has(code)) return { code: "OUT_OF_MEMORY" };
  if (CPU_LIMIT.has(code)) return { code: "TIMEOUT" };
  return {
    code: "PROCESS_EXITED",
    message: `the code's process ended with exit code ${code} before it returned; return the result instead`,
  };
}
