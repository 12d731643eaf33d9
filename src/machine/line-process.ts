import { spawn, type ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { dyingWithUs } from "./die-with-us.ts";
import { batchCommand, findExecutable, isFolder } from "./executable.ts";
import { LineReader } from "./line-reader.ts";
import { ProcessTree } from "./process-tree.ts";

/**
 * A program of somebody else that is talked to in lines over stdin and stdout.
 *
 * It leads a process group of its own; ending it ends all that it started, and it ends when we do, however we do
 * (`die-with-us.ts`, `reaper.ts`). It does not keep our own process alive unless it is held. What it does is taken as hostile: a line that is
 * too long, stderr without end, stdin that nobody reads cost a bounded amount of memory.
 */
export interface LineProcess {
  readonly pid: number | undefined;
  /**
   * Writes a line; those of one turn of the event loop leave together.
   *
   * @param onUnwritten called when nothing of it can have reached the process, because that had ended before
   * @param isAlone     no other line is to be expected in this turn, so nothing is gained by waiting for its end
   * @returns false when it was not taken
   */
  write(line: string, onUnwritten?: () => void, isAlone?: boolean): boolean;
  /** Whether it keeps our process alive; at first it does not. */
  hold(keepsUsAlive: boolean): void;
  /** Reads nothing for this long, so that who floods waits for us and not we for it. */
  rest(ms: number): void;
  /** Remembers what it has started until now, so that it can be ended with it. */
  look(): void;
  /** Once; nothing is read or written after it, and nothing of it is left but what has hidden itself. */
  readonly exited: Promise<LineProcessExit>;
  /** Closes stdin, waits, asks, kills. Safe to call twice. */
  close(): Promise<void>;
  kill(): void;
}

export interface LineProcessOptions {
  command: string;
  args: readonly string[];
  /** All that the process sees. */
  env: Readonly<Record<string, string>>;
  cwd?: string | undefined;
  maxLineBytes: number;
  onLine(line: string): void;
  /** With both ends of the line. */
  onLongLine(head: string, tail: string): void;
  /** A line of stderr, at most {@link MAX_STDERR_LINE_BYTES} long. */
  onStderr(line: string): void;
}

export interface LineProcessExit {
  /** `unspawned`: it never started, `message` says why. `closed`: by us. `exited`: by itself. `mute`: it closed its stdout. */
  reason: "unspawned" | "closed" | "exited" | "mute";
  code: number | null;
  signal: NodeJS.Signals | null;
  message?: string;
}

const MAX_STDERR_LINE_BYTES = 8 * 1024;
/** More than this waiting for a process that does not read: nothing more is taken. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** stderr that comes faster than this per tick makes its writer wait. */
const STDERR_BYTES_PER_TICK = 512 * 1024;
const STDERR_TICK_MS = 100;
/** For what is on its way still when it has ended. */
const DRAIN_MS = 25;
const EOF_MS = 1_000;
const TERM_MS = 1_000;
const KILL_MS = 1_000;

const isWindows = process.platform === "win32";

export function spawnLines(options: LineProcessOptions): LineProcess {
  const problem = whyNot(options);
  if (problem !== undefined) return unspawned(problem);
  let child: ChildProcess;
  try {
    child = start(options);
  } catch (error) {
    return unspawned(error instanceof Error ? error.message : String(error));
  }
  const { pid } = child;
  // Not there when descriptors have run out (EMFILE): Node then gives up half-way, and `error` tells.
  const stdin = (child.stdin ?? undefined) as Socket | undefined;
  const stdout = (child.stdout ?? undefined) as Socket | undefined;
  const stderr = (child.stderr ?? undefined) as Socket | undefined;
  const tree = pid === undefined ? undefined : new ProcessTree(pid);
  let reason: LineProcessExit["reason"] = "exited";
  let isGone = false;
  let hasStdoutEnded = false;
  let queued = "";
  let unwritten: (() => void)[] = [];
  let closing: Promise<void> | undefined;

  const lines = new LineReader(options.maxLineBytes, options.onLine, options.onLongLine);
  stdout?.on("data", (chunk: Buffer) => {
    if (!isGone) lines.push(chunk);
  });
  if (stderr) readStderr(stderr, options.onStderr);
  for (const stream of [stdin, stdout, stderr]) stream?.on("error", () => {}); // its exit tells the story

  const exited = new Promise<LineProcessExit>((resolve) => {
    const end = (exit: Omit<LineProcessExit, "reason">) => {
      if (isGone) return;
      lines.end();
      isGone = true;
      flush();
      tree?.end(); // what it left behind
      for (const stream of [stdin, stdout, stderr]) stream?.destroy();
      resolve({ reason, ...exit });
    };
    child.on("error", (error) => {
      if (pid !== undefined) return;
      reason = "unspawned";
      end({ code: null, signal: null, message: error.message });
    });
    child.on("exit", (code, signal) => {
      if (hasStdoutEnded || !stdout) return end({ code, signal });
      // Others may have its stdout still, so that it never ends.
      // Not before another look at it, should we have been busy meanwhile.
      setTimeout(() => setImmediate(() => end({ code, signal })), DRAIN_MS);
      stdout.once("end", () => end({ code, signal }));
    });
    stdout?.on("end", () => {
      hasStdoutEnded = true;
      setTimeout(() => {
        if (isGone || child.exitCode !== null || child.signalCode !== null || closing) return;
        reason = "mute";
        tree?.kill();
      }, DRAIN_MS).unref();
    });
  });

  const flush = () => {
    const text = queued;
    const tell = unwritten;
    queued = "";
    unwritten = [];
    if (text === "") return;
    if (!isGone && stdin && !stdin.errored) {
      stdin.write(text);
      // Set at once only when the first attempt to write fails, and so nothing has left.
      if (!stdin.errored) return;
    }
    for (const each of tell) each();
  };
  const hold = (keepsUsAlive: boolean) => {
    const verb = keepsUsAlive ? "ref" : "unref";
    child[verb]();
  };
  for (const stream of [stdin, stdout, stderr]) stream?.unref();
  hold(false);

  const endsWithin = async (ms: number): Promise<boolean> => {
    const timeout = new AbortController();
    const isOver = await Promise.race([
      exited.then(() => true),
      wait(ms, false, { signal: timeout.signal }).catch(() => true),
    ]);
    timeout.abort();
    return isOver;
  };

  async function shut(): Promise<void> {
    if (isGone) return;
    if (reason === "exited") reason = "closed";
    hold(true);
    tree?.look();
    if (queued !== "") flush();
    stdin?.end();
    if (await endsWithin(EOF_MS)) return;
    tree?.look();
    if (!isWindows) tree?.signal("SIGTERM");
    if (!isWindows && (await endsWithin(TERM_MS))) return;
    tree?.kill();
    await endsWithin(KILL_MS);
  }

  return {
    pid,
    exited,
    hold,
    look: () => tree?.look(),
    rest(ms) {
      if (isGone || stdout?.isPaused() !== false) return;
      stdout.pause();
      setTimeout(() => stdout.resume(), ms).unref();
    },
    write(line, onUnwritten, isAlone = false) {
      if (isGone || closing || !stdin || stdin.destroyed) return false;
      const waiting = stdin.writableLength + queued.length;
      if (waiting > 0 && waiting + line.length > MAX_WAITING_BYTES) return false;
      if (queued === "" && !isAlone) setImmediate(flush);
      queued += `${line}\n`;
      if (onUnwritten) unwritten.push(onUnwritten);
      if (isAlone) flush();
      return true;
    },
    close: () => (closing ??= shut()),
    kill() {
      if (isGone) return;
      if (reason === "exited") reason = "closed";
      hold(true);
      tree?.kill();
    },
  };
}

function start({ command, args, env, cwd }: LineProcessOptions): ChildProcess {
  const common = { env: { ...env }, ...(cwd !== undefined && { cwd }), stdio: "pipe", windowsHide: true } as const;
  if (!isWindows) {
    const wrapped = dyingWithUs(command, args);
    return spawn(wrapped.command, wrapped.args, { ...common, detached: true });
  }
  const file = findExecutable(command, env, cwd) ?? command;
  if (!/\.(?:cmd|bat)$/i.test(file)) return spawn(file, [...args], common);
  const batch = batchCommand(file, args);
  return spawn(batch.command, batch.args, { ...common, windowsVerbatimArguments: true });
}

function whyNot({ command, env, cwd }: LineProcessOptions): string | undefined {
  if (cwd !== undefined && !isFolder(cwd)) return `its working folder ${cwd} does not exist`;
  if (findExecutable(command, env, cwd) !== undefined) return undefined;
  const isPath = command.includes("/") || (isWindows && command.includes("\\"));
  const hint = /\s/.test(command) ? "; `command` is the program alone: its arguments belong into `args`" : "";
  return `there is no program "${command}"${isPath ? "" : " in PATH"} (ENOENT)${hint}`;
}

function unspawned(message: string): LineProcess {
  return {
    pid: undefined,
    exited: Promise.resolve({ reason: "unspawned", code: null, signal: null, message }),
    write: () => false,
    hold() {},
    rest() {},
    look() {},
    close: () => Promise.resolve(),
    kill() {},
  };
}

/** A writer of endless stderr is made to wait; a line that never ends is cut. */
function readStderr(stderr: Socket, onLine: (line: string) => void): void {
  const lines = new LineReader(MAX_STDERR_LINE_BYTES, onLine, (head) => onLine(`${head}...`));
  let bytes = 0;
  let tick: NodeJS.Timeout | undefined;
  stderr.on("data", (chunk: Buffer) => {
    lines.push(chunk);
    bytes += chunk.length;
    tick ??= setTimeout(() => {
      tick = undefined;
      bytes = 0;
      stderr.resume();
    }, STDERR_TICK_MS).unref();
    if (bytes > STDERR_BYTES_PER_TICK) stderr.pause();
  });
  stderr.on("close", () => clearTimeout(tick));
  stderr.on("end", () => lines.end());
}
