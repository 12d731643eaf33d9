import { statSync } from "node:fs";
import { constants } from "node:os";
import type { Jail, NodeInJail } from "../../machine/bubblewrap.ts";
import type { ControlGroups } from "../../machine/cgroup.ts";
import { withDescendants } from "../../machine/descendants.ts";
import { dyingWithUs } from "../../machine/die-with-us.ts";
import type { MemoryWatch } from "../../machine/memory-watch.ts";
import { type Child, type ChildExit, spawnChild } from "../../machine/process.ts";
import type { Job } from "../engine.ts";
import { explainExit, FRAME_SLACK_BYTES, type Failure } from "../process/member.ts";
import { commandWithoutJail, inmateFor } from "./command.ts";

/** What holds a job's process, found out once. */
export interface Walls {
  /** Absent: Node's permissions only. */
  jail?: { jail: Jail; node: NodeInJail };
  /** Absent: the watch. */
  groups?: ControlGroups;
  watch: MemoryWatch;
}

const STDERR_BYTES = 4_000;
/** What Node takes for itself before any guest's code, and what it can hold in `/tmp`. */
const OWN_MIB = 64;
/** Node has some ten threads. */
const TASKS = 64;
const CPUS = 1;
/** The least that a frame may have: host calls are bounded by who answers them. */
const MIN_FRAME_BYTES = 16 * 1024 * 1024;
const MIB = 1024 * 1024;
/** Bubblewrap outside, bubblewrap inside, and Node. */
const PROCESSES_OF_A_JAIL = 3;
const LOOK_EVERY_MS = 2;

/** Jobs with the same key can take each other's sandbox. */
export function keyOf({ limits, layer }: Job): string {
  return `${limits.memoryMiB}/${frameBytes(limits)}/${layer ? identityOf(layer) : ""}`;
}

/**
 * Also says which folder it is: one that was removed and installed again has the same key and path, but a sandbox that
 * was started before has the old, empty one bound.
 */
function identityOf({ key, folder }: NonNullable<Job["layer"]>): string {
  const found = statSync(`${folder}/node_modules`, { bigint: true, throwIfNoEntry: false });
  return `${key}/${found ? `${found.dev}:${found.ino}:${found.ctimeNs}` : "gone"}`;
}

const frameBytes = (limits: Job["limits"]) => Math.max(MIN_FRAME_BYTES, limits.resultBytes) + FRAME_SLACK_BYTES;

export interface Sandbox {
  child: Child;
  /** Puts its limits around it: before that, no guest's code may run in it. */
  confine(): Promise<void>;
}

/**
 * The control group is made around the processes while Node starts in them, because that takes as long: the kernel waits
 * some 10 ms for all processors to see who belongs where.
 *
 * @param onRemoved called with the promise of what has to go after the process: its control group
 */
export function startSandbox(
  walls: Walls,
  { limits, layer }: Pick<Job, "limits" | "layer">,
  onFrame: (frame: Uint8Array) => void,
  onRemoved: (gone: Promise<void>) => void,
): Sandbox {
  const memoryBytes = (limits.memoryMiB + OWN_MIB) * MIB;
  const command = commandFor(walls, limits.memoryMiB, layer);
  const group = walls.groups?.make({ memoryBytes, tasks: TASKS, cpus: CPUS });
  const child = spawnChild({
    ...command,
    maxFrameBytes: frameBytes(limits),
    stderrBytes: STDERR_BYTES,
    onFrame,
  });
  const { pid } = child;
  let isOver = false;
  let isStarting = true;
  let hasEnded = false;
  let stopWatching: (() => void) | undefined;
  /** Looked at only while it has a job: before that no guest's code runs in it, and looking at many costs. */
  const watch = () => {
    if (group || pid === undefined || stopWatching || hasEnded) return;
    stopWatching = walls.watch.watch(pid, memoryBytes, () => {
      isOver = true;
      child.kill();
    });
  };
  const exited = child.exited.then((exit): ChildExit => {
    isStarting = false;
    hasEnded = true;
    stopWatching?.();
    const ranOut = isOver || (group?.ranOutOfMemory() ?? false);
    if (group) onRemoved(group.remove());
    return ranOut ? { ...exit, reason: "out-of-memory" } : exit;
  });

  const taken = new Set<number>();
  const takeAll = async (expected: number) => {
    if (!group || pid === undefined) return;
    let all = withDescendants(pid);
    for (; all.length < expected && isStarting; all = withDescendants(pid)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    const missing = all.filter((each) => !taken.has(each));
    await group.take(missing);
    for (const each of missing) taken.add(each);
  };
  const early = takeAll(walls.jail ? PROCESSES_OF_A_JAIL : 1);
  early.catch(() => {}); // `confine` tells of it
  return {
    child: {
      ...child,
      exited,
      send(parts) {
        watch(); // what is sent first is its job
        child.send(parts);
      },
    },
    async confine() {
      isStarting = false;
      await early;
      await takeAll(1);
    },
  };
}

function commandFor(walls: Walls, memoryMiB: number, layer: Job["layer"]) {
  if (walls.jail) {
    const { jail, node } = walls.jail;
    return { ...jail.command(inmateFor(node, memoryMiB, layer)), env: {} };
  }
  const bare = commandWithoutJail(memoryMiB, layer);
  return { ...bare, ...dyingWithUs(bare.command, bare.args) };
}

/** The end of a process in the middle of a job is the guest's doing, unless a limit says otherwise. */
export function explainNodeExit(exit: ChildExit): Failure {
  const common = explainExit(exit);
  if (common.code !== "ENGINE_CRASHED") return common;
  const how = exit.signal ?? signalOf(exit.code);
  const what = how === undefined ? `ended with exit code ${exit.code}` : `was ended by ${how}`;
  return {
    code: "PROCESS_EXITED",
    message: `the code's process ${what} before it returned; return the result instead`,
  };
}

/** A jail tells of the signal that ended the program in it by a number above 128. */
function signalOf(code: number | null): string | undefined {
  if (code === null || code <= 128) return undefined;
  return Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
}
