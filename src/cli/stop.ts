import { ERRORS } from "../core/errors.ts";

/** The parts of `process` that decide when it ends. */
export type StoppableProcess = Pick<
  NodeJS.Process,
  "on" | "exit" | "kill" | "pid" | "platform" | "listeners" | "removeAllListeners"
> & {
  stdout: Pick<NodeJS.WriteStream, "on">;
  stderr: Pick<NodeJS.WriteStream, "on" | "write">;
};

/** One Ctrl-C can arrive several times: from the terminal, from npm, from whoever started us. */
const ECHO_MS = 500;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type Signal = (typeof SIGNALS)[number];

/**
 * Watches for the end: a first signal asks to stop, a second one ends at once, as signals do;
 * what comes within half a second is the first one again.
 * A reader that goes away (EPIPE on stdout) asks to stop too. What nobody caught ends with 70 and its stack on stderr.
 *
 * @returns a promise that resolves when the program should stop, with the signal that said so
 */
export function watchForStop(
  host: StoppableProcess,
  now: () => number = () => performance.now(),
): Promise<Signal | undefined> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const name of SIGNALS) {
      host.on(name, () => {
        if (firstAt !== undefined && now() - firstAt > ECHO_MS) endBy(host, name);
        firstAt ??= now();
        resolve(name);
      });
    }
    host.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") return broken(error);
      resolve(undefined);
    });
    // There is nobody left to tell.
    host.stderr.on("error", () => {});
    host.on("uncaughtException", broken);
    host.on("unhandledRejection", broken);

    function broken(error: unknown): void {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      host.stderr.write(`dynamic-mcp: a fault of ours: ${text}\n`);
      host.exit(ERRORS.INTERNAL.exit);
    }
  });
}

/**
 * Runs what may block the only thread, such as reading a pipe that nobody writes. No listener could run meanwhile, so
 * signals do what they do by themselves: they end the process.
 */
export function interruptibly<T>(host: StoppableProcess, run: () => T): T {
  const kept = SIGNALS.map((name) => ({ name, listeners: host.listeners(name) }));
  for (const { name } of kept) host.removeAllListeners(name);
  try {
    return run();
  } finally {
    for (const { name, listeners } of kept) for (const each of listeners) host.on(name, each);
  }
}

/**
 * Ends the process. `exit` waits for threads that are inside the system, for ever when one reads a pipe that nobody
 * writes or a disk that is gone; a signal does not. So what was interrupted, and left behind, ends by its signal.
 *
 * @param signal that interrupted it, if one did
 */
export function leave(host: StoppableProcess, code: number, signal: Signal | undefined): void {
  if (signal !== undefined && code === ERRORS.CANCELLED.exit && host.platform !== "win32") endBy(host, signal);
  for (const name of SIGNALS) host.removeAllListeners(name);
  host.exit(code);
}

function endBy(host: StoppableProcess, name: Signal): void {
  host.removeAllListeners(name);
  host.kill(host.pid, name);
}
