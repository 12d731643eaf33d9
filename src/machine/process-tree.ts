import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { withDescendants } from "./descendants.ts";
import { isSameProcess, processStart } from "./process-identity.ts";
import { guardGroup } from "./reaper.ts";

/** A process that leads a group, and all that it started, as far as the system tells. It ends when we end. */
export class ProcessTree {
  readonly #pid: number;
  /** Seen below it at some time, with when they started. Linux only. */
  readonly #seen = new Map<number, string>();
  /** By the number of the group. */
  readonly #unguard = new Map<number, () => void>();

  constructor(pid: number) {
    this.#pid = pid;
    this.#unguard.set(pid, guardGroup(pid));
  }

  /** Remembers who is there now: when the process has ended by itself, nobody can tell any more whom it started. */
  look(): void {
    for (const pid of withDescendants(this.#pid)) {
      const start = this.#seen.has(pid) ? undefined : processStart(pid);
      if (start === undefined) continue;
      this.#seen.set(pid, start);
      const group = processGroup(pid);
      if (group !== undefined && !this.#unguard.has(group)) this.#unguard.set(group, guardGroup(group));
    }
  }

  /** To the group alone. */
  signal(signal: NodeJS.Signals): void {
    if (process.platform === "win32") return;
    send(-this.#pid, signal);
  }

  /** SIGKILL to everything, for the last time. */
  end(): void {
    this.kill();
    for (const unguard of this.#unguard.values()) unguard();
    this.#unguard.clear();
  }

  /** SIGKILL to everything. */
  kill(): void {
    if (process.platform === "win32") {
      const killer = spawn("taskkill", ["/pid", String(this.#pid), "/T", "/F"], { stdio: "ignore", windowsHide: true });
      killer.on("error", () => {});
      killer.unref();
      return;
    }
    this.look();
    send(-this.#pid, "SIGKILL");
    for (const [pid, start] of this.#seen) if (isSameProcess(pid, start)) send(pid, "SIGKILL");
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone.
  }
}

/** Linux only. */
function processGroup(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold anything; state and parent come first after it.
    const group = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
    return group > 1 ? group : undefined;
  } catch {
    return undefined;
  }
}
