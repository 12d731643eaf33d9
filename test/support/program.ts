import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The program as it is shipped when it is built, else from its source. */
export function programFile(): string {
  const built = path.join(ROOT, "dist/main.js");
  return existsSync(built) ? built : path.join(ROOT, "src/main.ts");
}

export interface Program {
  url: string;
  process: ChildProcess;
  /** What it wrote to stderr so far. */
  log(): string;
  /** @returns its exit code; null when the signal killed it */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const START_MS = 20_000;

/** Starts the program over HTTP on a free port, with nothing of this machine's settings. */
export async function startProgram(args: readonly string[]): Promise<Program> {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [programFile(), "--transport", "http", "--port", "0", ...args], {
    cwd: ROOT,
    env: { PATH },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  const listening = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the program did not start:\n${log}`)), START_MS);
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      const url = /listens on (\S+)/.exec(log)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`the program ended with ${code}:\n${log}`));
    });
  });
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  };
  try {
    return { url: await listening, process: child, log: () => log, stop };
  } catch (error) {
    await stop("SIGKILL");
    throw error;
  }
}

/** A folder that is gone when `use` has ended. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "dynamic-mcp-test-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
