import { randomBytes } from "node:crypto";
import { createFrameReader, frame } from "../../machine/frames.ts";
import type { Child, ChildExit } from "../../machine/process.ts";
import { explainExit, type Failure } from "../process/member.ts";
import type { DockerBase } from "./docker-base.ts";
import { hasOwnKernel } from "./health.ts";
import { guestFlags, nodeCommand, scriptInput } from "./node-program.ts";
import { quietFlags } from "../../machine/node-flags.ts";
import { assertLayer, containerOf, kernelMiB, NODE_MIB, type Recipe, TMP_MIB } from "./one-shot.ts";
import { startSandbox } from "./sandbox.ts";
import { sandboxSpec } from "./spec.ts";
import {
  DOWN,
  type Ended,
  readWord,
  SECRET_BYTES,
  type Setup,
  UP,
  word,
} from "../../machine/docker/supervisor-words.ts";

/** A container in which many processes run, one for each call; each is seen as a child process of ours. */
export interface SupervisedContainer {
  /** Starts a process in it. */
  start(onFrame: (frame: Uint8Array) => void): ProcessInside;
  /** Ends the container with all that runs in it. */
  kill(): void;
  readonly exited: Promise<ChildExit>;
}

export interface ProcessInside extends Child {
  failure(): Failure;
}

export interface SupervisedOptions {
  /** The supervisor's text. */
  script: Uint8Array;
  /** Processes at once. */
  maxProcesses: number;
  /** Largest frame of one of them. */
  maxFrameBytes: number;
}

/** The supervisor, and what guests do not read at once, which it bounds. */
const SUPERVISOR_MIB = 192;
const PIDS_EACH = 24;
const CPU_SECONDS = 900;
/** A process that was ended and is not gone after this long: the supervisor does not do its work. */
const KILL_WITHIN_MS = 3_000;

export function startSupervised(base: DockerBase, recipe: Recipe, options: SupervisedOptions): SupervisedContainer {
  const { memoryMiB, cpus, layer, version } = recipe;
  const { maxProcesses } = options;
  const inside = new Map<number, { onOutput(chunk: Uint8Array): void; onEnd(end: ChildExit): void }>();
  const held = new Set<number>();
  const secret = randomBytes(SECRET_BYTES);
  const say = (what: number, id: number, ...rest: Uint8Array[]) => container.send([word(secret, what, id), ...rest]);
  let count = 0;

  const container: Child = startSandbox({
    containers: base.client.containers,
    spec: sandboxSpec({
      ...containerOf(base, recipe),
      // The supervisor itself is the first process: nobody inside can end that.
      hasInit: false,
      command: nodeCommand(["--no-warnings", "--max-old-space-size=64", ...quietFlags(version)], []),
      limits: {
        memoryMiB: SUPERVISOR_MIB + kernelMiB(base) + maxProcesses * (memoryMiB + NODE_MIB),
        cpus: cpus * maxProcesses,
        pids: PIDS_EACH * (maxProcesses + 1),
        cpuSeconds: CPU_SECONDS,
        tmpMiB: TMP_MIB * maxProcesses,
      },
      labels: base.marks.of("supervisor"),
    }),
    preface: scriptInput(options.script),
    maxFrameBytes: options.maxFrameBytes,
    onMade: base.made,
    remove: base.remove,
    hasOwnKernel: hasOwnKernel(base.runtime),
    ...(layer && { onCreated: () => assertLayer(base, layer, () => container.exited) }),
    onFrame(bytes) {
      const { what, id, rest } = readWord(secret, bytes);
      const process = inside.get(id);
      if (what === UP.output) process?.onOutput(rest);
      else if (what === UP.ended) process?.onEnd(exitOf(JSON.parse(rest.toString("utf8")) as Ended));
    },
  });
  void container.exited.then((exit) => {
    // Whatever ended the container ended them: not they themselves.
    for (const process of inside.values()) process.onEnd({ ...exit, reason: "killed", code: null });
  });

  const setup: Setup = {
    command: nodeCommand(guestFlags(version, { memoryMiB, cpus, folder: "{folder}" }), ["stdio"]),
    env: { TZ: "UTC" },
    rssMiB: memoryMiB + NODE_MIB,
  };
  const json = Buffer.from(JSON.stringify(setup), "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.byteLength);
  say(DOWN.setup, 0, length, json, recipe.script);

  return {
    exited: container.exited,
    kill: container.kill,
    start(onFrame) {
      const id = ++count;
      let reason: ChildExit["reason"] = "exited";
      let last: ChildExit | undefined;
      let timer: NodeJS.Timeout | undefined;
      const hold = (keepsUsAlive: boolean) => {
        if (keepsUsAlive) held.add(id);
        else held.delete(id);
        container.hold(held.size > 0);
      };
      const kill = (as: ChildExit["reason"]) => {
        if (last || reason !== "exited") return;
        reason = as;
        say(DOWN.kill, id);
        timer = setTimeout(container.kill, KILL_WITHIN_MS);
      };
      const reader = createFrameReader(options.maxFrameBytes, onFrame);
      const exited = new Promise<ChildExit>((resolve) => {
        inside.set(id, {
          onOutput(chunk) {
            try {
              if (reason === "exited") reader.push(chunk);
            } catch {
              kill("overflow");
            }
          },
          onEnd(end) {
            if (!inside.delete(id)) return;
            clearTimeout(timer);
            hold(false);
            last = reason === "exited" ? end : { ...end, reason };
            resolve(last);
          },
        });
      });
      say(DOWN.start, id);
      return {
        pid: undefined,
        exited,
        hold,
        backlogBytes: container.backlogBytes,
        kill: () => kill("killed"),
        send(parts) {
          if (!last && reason === "exited") say(DOWN.input, id, ...frame(parts));
        },
        failure: () => explain(last),
      };
    },
  };
}

function exitOf({ code, signal, cause, stderr }: Ended): ChildExit {
  const reason = cause === "memory" ? "out-of-memory" : cause === "flood" ? "overflow" : "exited";
  return { reason, code, signal: signal as NodeJS.Signals | null, stderr: stderr.slice(-4_000) };
}

function explain(exit: ChildExit | undefined): Failure {
  const failure = exit ? explainExit(exit) : { code: "ENGINE_CRASHED" as const };
  if (failure.code !== "ENGINE_CRASHED" || exit?.reason !== "exited") return failure;
  const { code, signal } = exit;
  if (signal === null) {
    return { code: "PROCESS_EXITED", message: `the code ended its own process (exit code ${code}) before it returned` };
  }
  return {
    code: "PROCESS_EXITED",
    message: `the process was ended by ${signal}, which the code sent to itself, or another call of the same tool did; try again`,
  };
}
