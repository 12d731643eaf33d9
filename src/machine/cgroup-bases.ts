import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

/** Where we may make control groups: the folder of each controller that limits us now. */
export interface CgroupBases {
  version: 1 | 2;
  folders: ReadonlyMap<string, string>;
}

const CONTROLLERS = ["memory", "pids", "cpu"];
const NEEDED = ["memory", "pids"];

/** @throws what the file system says when version 2 was not delegated to us */
export function findCgroupBases(): CgroupBases | undefined {
  if (process.platform !== "linux") return undefined;
  const mounts = cgroupMounts();
  const folders = new Map<string, string>();
  let unified: string | undefined;
  for (const line of readFileSync("/proc/self/cgroup", "utf8").trim().split("\n")) {
    const [, names = "", place = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (names === "") unified = inside(mounts.get(""), place);
    for (const name of names.split(",").filter((each) => CONTROLLERS.includes(each))) {
      const folder = inside(mounts.get(name), place);
      if (folder !== undefined) folders.set(name, folder);
    }
  }
  if (NEEDED.every((name) => folders.has(name))) return { version: 1, folders };
  if (unified === undefined) return undefined;
  const delegated = delegate(unified);
  return { version: 2, folders: new Map(delegated.map((name) => [name, unified])) };
}

interface CgroupMount {
  /** What of the hierarchy is mounted. */
  root: string;
  at: string;
}

/** By controller; version 2 by the empty name. */
function cgroupMounts(): Map<string, CgroupMount> {
  const found = new Map<string, CgroupMount>();
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "/", at = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") found.set("", { root, at });
    if (type === "cgroup") for (const name of options.split(",")) found.set(name, { root, at });
  }
  return found;
}

function inside(mount: CgroupMount | undefined, place: string): string | undefined {
  if (!mount) return undefined;
  const below = place.startsWith(mount.root) ? place.slice(mount.root.length) : place;
  return `${mount.at}/${below}`.replace(/\/+/g, "/").replace(/\/$/, "");
}

/**
 * Lets groups below ours have limits. A group with processes of its own may not hand on controllers, so when we are
 * alone in ours we step down into one of our own.
 */
function delegate(base: string): string[] {
  const has = (file: string) => readFileSync(`${base}/${file}`, "utf8").trim().split(/\s+/);
  const wanted = CONTROLLERS.filter((name) => has("cgroup.controllers").includes(name));
  if (!NEEDED.every((name) => wanted.includes(name)))
    throw new Error("memory and pids are not delegated to this process");
  const missing = wanted.filter((name) => !has("cgroup.subtree_control").includes(name));
  if (missing.length === 0) return wanted;
  const members = has("cgroup.procs").filter((pid) => pid !== "");
  if (members.length === 1 && members[0] === String(process.pid)) {
    mkdirSync(`${base}/dynamic-mcp-server`, { recursive: true });
    writeFileSync(`${base}/dynamic-mcp-server/cgroup.procs`, String(process.pid));
  }
  writeFileSync(`${base}/cgroup.subtree_control`, missing.map((name) => `+${name}`).join(" "));
  return wanted;
}
