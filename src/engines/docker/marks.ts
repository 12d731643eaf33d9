import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";

/**
 * Our mark on everything that we make on a daemon: which server made it, and how others can tell whether that server
 * still lives. Only what bears the mark of a server that is gone is ever removed by another.
 */
export const LABEL = {
  /** Random, of one run of one server. */
  instance: "dynamic-mcp.instance",
  /** What it is: see {@link Kind}. */
  kind: "dynamic-mcp.kind",
  /** Boot and process namespace of the server, where the system tells; then pid and start say exactly who it is. */
  host: "dynamic-mcp.host",
  pid: "dynamic-mcp.pid",
  start: "dynamic-mcp.start",
} as const;

/** `alive`: a volume whose age says when its server was last seen. `layer`: a volume with packages. */
export type Kind = "sandbox" | "supervisor" | "probe" | "filler" | "shell" | "alive" | "layer";

export interface Marks {
  readonly instance: string;
  of(kind: Kind): Record<string, string>;
}

export function createMarks(): Marks {
  const instance = randomBytes(8).toString("hex");
  const self = processFacts(process.pid);
  const host = hostIdentity();
  return {
    instance,
    of: (kind) => ({
      [LABEL.instance]: instance,
      [LABEL.kind]: kind,
      [LABEL.pid]: String(process.pid),
      ...(host !== undefined && self !== undefined && { [LABEL.host]: host, [LABEL.start]: self }),
    }),
  };
}

/**
 * Whether the server that made something still lives, as far as this machine can tell.
 * @returns undefined when it ran elsewhere: on another machine, before a reboot, in another container
 */
export function isOwnerAlive(labels: Readonly<Record<string, string>>): boolean | undefined {
  const host = labels[LABEL.host];
  if (host === undefined || host !== hostIdentity()) return undefined;
  const start = processFacts(Number(labels[LABEL.pid]));
  return start !== undefined && start === labels[LABEL.start];
}

/** Names this boot of this machine and this process namespace; only Linux tells. */
function hostIdentity(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}:${/\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0]}`;
  } catch {
    return undefined;
  }
}

/** When a process started, in ticks since boot: with its pid it is that process and no later one. */
function processFacts(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold anything; state is the first field after it, start the twentieth.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
