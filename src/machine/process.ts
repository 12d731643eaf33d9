import { spawn, type ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import { createFrameReader, frame } from "./frames.ts";

/**
 * A child process of ours that talks in frames over file descriptor 3, a channel that nothing else writes to.
 *
 * It inherits nothing: the environment is exactly what is given, stdin and stdout are closed, stderr is kept as a short
 * tail. It leads a process group of its own, so that Ctrl-C reaches only us and killing it takes what it started along.
 * That it ends when we do, however we do, is up to the program in it: it must leave when its channel closes.
 */
export interface Child {
  readonly pid: number | undefined;
  /** Sends one frame. What is sent to a child that has ended is dropped. */
  send(parts: readonly Uint8Array[]): void;
  /** What was sent and is still held here, because the child does not read it. */
  backlogBytes(): number;
  /** SIGKILL to its group. Safe to call twice; `exited` tells when it is gone. */
  kill(): void;
  /** Whether the child keeps our own process alive; at first it does not. */
  hold(keepsUsAlive: boolean): void;
  readonly exited: Promise<ChildExit>;
}

export interface ChildOptions {
  command: string;
  args: readonly string[];
  /** All that the child sees. */
  env: Readonly<Record<string, string>>;
  /** Its working folder; default: ours. */
  cwd?: string;
  /** Largest frame that is read from the child; a larger one ends it. */
  maxFrameBytes: number;
  /** How much of the end of stderr is kept. */
  stderrBytes: number;
  onFrame(frame: Uint8Array): void;
}

export interface ChildExit {
  /**
   * `unspawned`: it never started. `overflow`: it sent too large a frame. `killed`: by us. `exited`: by itself.
   * `out-of-memory`: by who holds its memory limit, where somebody does (a watchdog, a control group, a container).
   */
  reason: "unspawned" | "overflow" | "killed" | "exited" | "out-of-memory";
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The tail of what it wrote to stderr, or why it did not start. */
  stderr: string;
}

const CHANNEL = 3;
/** For what is on its way still when it has ended by itself. */
const DRAIN_MS = 500;

export function spawnChild(options: ChildOptions): Child {
  const ownGroup = process.platform !== "win32";
  const child = spawn(options.command, [...options.args], {
    env: options.env,
    cwd: options.cwd,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    detached: ownGroup,
    windowsHide: true,
  });
  // Not there when descriptors have run out (EMFILE): Node then gives up half-way, and `error` tells.
  const stdio = child.stdio as ChildProcess["stdio"] | undefined;
  const channel = stdio?.[CHANNEL] as Duplex | null | undefined;
  let reason: ChildExit["reason"] = "exited";
  let isGone = false;
  let stderr: Buffer = Buffer.alloc(0);

  function kill(as: ChildExit["reason"]): void {
    if (isGone || child.pid === undefined) return;
    if (reason === "exited") reason = as;
    hold(true); // its end is near, and somebody may want to see it
    try {
      if (ownGroup) process.kill(-child.pid, "SIGKILL");
      else child.kill("SIGKILL");
    } catch {
      child.kill("SIGKILL"); // the group is not there yet, or no longer
    }
  }

  const reader = createFrameReader(options.maxFrameBytes, options.onFrame);
  channel?.on("data", (chunk: Buffer) => {
    try {
      if (reason === "exited") reader.push(chunk);
    } catch (error) {
      stderr = Buffer.from(String(error));
      kill("overflow");
    }
  });
  channel?.on("error", () => {}); // a write to a child that has just ended; its exit tells the story
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-options.stderrBytes);
  });

  const exited = new Promise<ChildExit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      if (isGone) return;
      isGone = true;
      channel?.destroy();
      resolve({ reason, code, signal, stderr: stderr.toString("utf8").trim() });
    };
    child.on("error", (error) => {
      if (child.pid !== undefined) return;
      reason = "unspawned";
      stderr = Buffer.from(error.message);
      end(null, null);
    });
    // Who was started by it may live on and have its streams: a jail that is killed while it starts leaves its inside
    // behind. `close` would never come then; and who sees its channel end leaves.
    let drained: NodeJS.Timeout | undefined;
    child.on("exit", () => (drained = setTimeout(shut, reason === "exited" ? DRAIN_MS : 0)));
    child.on("close", (code, signal) => {
      clearTimeout(drained);
      end(code, signal);
    });
  });

  function shut(): void {
    channel?.destroy();
    child.stderr?.destroy();
  }

  function hold(keepsUsAlive: boolean): void {
    const verb = keepsUsAlive ? "ref" : "unref";
    child[verb]();
    for (const stream of [channel, child.stderr]) {
      // Both are sockets, but typed as plain streams.
      const socket = stream as { ref?(): void; unref?(): void } | null | undefined;
      socket?.[verb]?.();
    }
  }
  hold(false);

  return {
    pid: child.pid,
    exited,
    backlogBytes: () => channel?.writableLength ?? 0,
    hold,
    kill: () => kill("killed"),
    send(parts) {
      if (isGone || !channel || channel.destroyed) return;
      channel.cork?.();
      for (const part of frame(parts)) channel.write(part);
      channel.uncork?.();
    },
  };
}
