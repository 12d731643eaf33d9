import { ERRORS } from "../core/errors.ts";

/** The parts of `process` that decide when it ends. */
export type StoppableProcess = Pick<NodeJS.Process, "on" | "exit"> & {
  stdout: Pick<NodeJS.WriteStream, "on">;
  stderr: Pick<NodeJS.WriteStream, "on" | "write">;
};

/** One Ctrl-C can arrive several times: from the terminal, from npm, from whoever started us. */
const ECHO_MS = 500;
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/**
 * Watches for the end: a first signal asks to stop, a second one ends at once (128 + its number, as shells count);
 * what comes within half a second is the first one again.
 * A reader that goes away (EPIPE on stdout) asks to stop too. What nobody caught ends with 70 and its stack on stderr.
 *
 * @returns a promise that resolves when the program should stop
 */
export function watchForStop(host: StoppableProcess, now: () => number = () => performance.now()): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const [name, number] of Object.entries(SIGNALS)) {
      host.on(name as keyof typeof SIGNALS, () => {
        if (firstAt !== undefined && now() - firstAt > ECHO_MS) host.exit(128 + number);
        firstAt ??= now();
        resolve();
      });
    }
    host.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") return broken(error);
      resolve();
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
