import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { findCgroupBases } from "./cgroup-bases.ts";
import { isSameProcess, processStart } from "./process-identity.ts";

/**
 * Linux control groups that we own: what a sandbox and all that it starts may use together, held by the kernel.
 * Version 2 where it was delegated to us, version 1 where we may write. Tried for real before it is relied on.
 */
export interface ControlGroups {
  readonly kind: "control groups, version 1" | "control groups, version 2";
  /** A new, empty group. Remove it when its processes have ended. */
  make(limits: GroupLimits): ControlGroup;
}

export interface GroupLimits {
  memoryBytes: number;
  /** Processes and threads. */
  tasks: number;
  /** Processors' worth of time. */
  cpus: number;
}

export interface ControlGroup {
  /** How to start a command as a member of the group from its first instruction on. */
  join(command: string, args: readonly string[]): { command: string; args: string[] };
  /** Takes in processes that run already; what they have taken before does not count. Costs some 10 ms, not of ours. */
  take(pids: readonly number[]): Promise<void>;
  /** Whether somebody in it was ended for want of memory. */
  ranOutOfMemory(): boolean;
  /** Waits a little for those that are ending. */
  remove(): Promise<void>;
}

const PREFIX = "dynamic-mcp";
const PROBE_MS = 5_000;
const REMOVE_TRIES = 100;
const REMOVE_EVERY_MS = 10;
const PERIOD_US = 100_000;
const JOIN = 'unset PWD OLDPWD; while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"';

interface LimitFile {
  controller: string;
  file: string;
  value: string | number;
  /** Passed over where it is not there. */
  isExtra?: true;
}

/** What the limits are called, by version. */
function limitFiles(version: 1 | 2, { memoryBytes, tasks, cpus }: GroupLimits): LimitFile[] {
  const quotaUs = Math.round(cpus * PERIOD_US);
  return version === 1
    ? [
        { controller: "memory", file: "memory.limit_in_bytes", value: memoryBytes },
        { controller: "memory", file: "memory.memsw.limit_in_bytes", value: memoryBytes, isExtra: true },
        { controller: "pids", file: "pids.max", value: tasks },
        { controller: "cpu", file: "cpu.cfs_quota_us", value: quotaUs, isExtra: true },
      ]
    : [
        { controller: "memory", file: "memory.max", value: memoryBytes },
        { controller: "memory", file: "memory.swap.max", value: 0, isExtra: true },
        { controller: "memory", file: "memory.oom.group", value: 1, isExtra: true },
        { controller: "pids", file: "pids.max", value: tasks },
        { controller: "cpu", file: "cpu.max", value: `${quotaUs} ${PERIOD_US}`, isExtra: true },
      ];
}

/** Also removes what servers have left that were killed. @returns why there are none, for operators, when so */
export async function openControlGroups(): Promise<ControlGroups | { problem: string }> {
  try {
    const bases = findCgroupBases();
    if (!bases) return { problem: "this process has no control group of its own" };
    await removeStale(bases.folders);
    const own = `${PREFIX}-${process.pid}-${processStart(process.pid) ?? 0}`;
    const groups: ControlGroups = {
      kind: `control groups, version ${bases.version}`,
      make: (limits) => makeGroup(bases.folders, bases.version, `${own}-${randomBytes(6).toString("hex")}`, limits),
    };
    await tryGroups(groups);
    return groups;
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Removes what servers have left that were killed; nothing where there are no groups. Never rejects. */
export async function removeStaleControlGroups(): Promise<void> {
  try {
    const bases = findCgroupBases();
    if (bases) await removeStale(bases.folders);
  } catch {
    // not ours to read or write: then nothing of ours is there
  }
}

/** @param bases folder of each controller; with version 2 they are the same */
function makeGroup(
  bases: ReadonlyMap<string, string>,
  version: 1 | 2,
  name: string,
  limits: GroupLimits,
): ControlGroup {
  const folders = [...new Set(bases.values())].map((base) => `${base}/${name}`);
  try {
    for (const folder of folders) mkdirSync(folder);
    for (const { controller, file, value, isExtra } of limitFiles(version, limits)) {
      try {
        writeFileSync(`${bases.get(controller)}/${name}/${file}`, String(value));
      } catch (error) {
        if (!isExtra) throw error;
      }
    }
  } catch (error) {
    for (const folder of folders) removeFolder(folder);
    throw error;
  }
  const memory = `${bases.get("memory")}/${name}`;
  return {
    join: (command, args) => ({
      command: "/bin/sh",
      args: ["-c", JOIN, "sh", ...folders.map((folder) => `${folder}/cgroup.procs`), "--", command, ...args],
    }),
    async take(pids) {
      for (const pid of pids) {
        await Promise.all(folders.map((folder) => writeFile(`${folder}/cgroup.procs`, String(pid))));
      }
    },
    ranOutOfMemory() {
      const file = version === 1 ? "memory.oom_control" : "memory.events";
      return Number(/^oom_kill (\d+)$/m.exec(read(`${memory}/${file}`))?.[1] ?? 0) > 0;
    },
    remove: () => removeFolders(folders),
  };
}

async function removeFolders(folders: readonly string[]): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES && !folders.map(removeFolder).every(Boolean); tries++) {
    await new Promise((resolve) => setTimeout(resolve, REMOVE_EVERY_MS));
  }
}

/** @returns whether it is gone */
function removeFolder(folder: string): boolean {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody in it has not quite ended, or it was never there.
  }
  return !existsSync(folder);
}

/** A program that asks for more than its group has must not live. */
async function tryGroups(groups: ControlGroups): Promise<void> {
  const group = groups.make({ memoryBytes: 16 * 1024 * 1024, tasks: 16, cpus: 1 });
  try {
    const hungry = ["-c", "head -c 64000000 /dev/zero | tail -c 64000000 > /dev/null"];
    const { command, args } = group.join("/bin/sh", hungry);
    await promisify(execFile)(command, args, { env: {}, timeout: PROBE_MS }).catch(() => {});
    if (!group.ranOutOfMemory()) throw new Error("a control group was made, but its memory limit does not hold");
  } finally {
    await group.remove();
  }
}

/** Groups whose server is gone: by its number and the time of its start, since numbers come again. */
async function removeStale(bases: ReadonlyMap<string, string>): Promise<void> {
  const stale: string[] = [];
  for (const base of new Set(bases.values())) {
    for (const name of readdirSync(base)) {
      const [, pid, start = ""] = new RegExp(`^${PREFIX}-(\\d+)-(\\d+)-[0-9a-f]+$`).exec(name) ?? [];
      if (pid === undefined || isSameProcess(Number(pid), start)) continue;
      for (const left of membersOf(read(`${base}/${name}/cgroup.procs`))) kill(left);
      stale.push(`${base}/${name}`);
    }
  }
  await removeFolders(stale);
}

/**
 * Who may be ended of those that a group lists. Processes of other process namespaces stand there as 0 (cgroups(7)),
 * and a signal to 0 would go to our own process group.
 *
 * @param listed text of `cgroup.procs`
 */
export function membersOf(listed: string): number[] {
  return listed
    .split("\n")
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid > 0 && pid !== process.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
