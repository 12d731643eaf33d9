/** Starts what is measured and its floors, and ends them again. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export type Transport = "http" | "stdio";

export interface Server {
  child: ChildProcess;
  pid: number;
  /** Only over HTTP. */
  url: string;
  /** The end of what it wrote to stderr. */
  lastWords(): string;
  stop(): Promise<void>;
}

const PRODUCT = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const FLOOR = fileURLToPath(new URL("../floors/sdk-server.mjs", import.meta.url));

/** Journal and guard stay on; only the numbers of the guard are out of the way of the load. */
const ROOM_FOR_LOAD = [
  ...["--tool-max-calls-per-window", "1000000", "--tool-rate-window-ms", "1000", "--tool-max-concurrency", "1000"],
  ...["--http-max-sessions", "100000", "--dynamic-max-tools", "50000"],
];

/**
 * @param args further ones
 * @param env further variables
 */
export function startProduct(
  transport: Transport,
  dataDir: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const serve = ["serve", "--transport", transport, ...(transport === "http" ? ["--port", "0"] : [])];
  return start([PRODUCT, ...serve, "--data-dir", dataDir, ...ROOM_FOR_LOAD, ...args], transport, env);
}

/** The SDK's own low-level server with one echo tool. */
export const startFloor = (transport: Transport): Promise<Server> =>
  start([FLOOR, ...(transport === "http" ? ["--http"] : [])], transport);

/** Any program for Node that says where it listens, or speaks over stdio. */
export async function start(
  command: readonly string[],
  transport: Transport,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const child = spawn(process.execPath, command, {
    stdio: [transport === "stdio" ? "pipe" : "ignore", transport === "stdio" ? "pipe" : "ignore", "pipe"],
    env: { PATH: process.env["PATH"], HOME: tmpdir(), NO_COLOR: "1", ...env },
  });
  const ended = once(child, "close");
  const stop = async () => {
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    child.kill("SIGTERM");
    await ended;
    clearTimeout(timer);
  };
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${command.join(" ")}`);
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4000)));
  const url = transport === "http" ? await saidUrl(child, () => said) : "";
  return { child, pid, url, lastWords: () => said.trim(), stop };
}

/** Both kinds of server print where they listen, to stderr. */
function saidUrl(child: ChildProcess, said: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stderr?.on("data", () => {
      const found = /http:\/\/127\.0\.0\.1:\d+\/\w+/.exec(said());
      if (found) resolve(found[0]);
    });
    child.once("close", (code) => reject(new Error(`the server exited (${code}): ${said()}`)));
  });
}

/** Gives `use` a folder of its own and removes it afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "dynamic-mcp-bench-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Starts servers for `use` and stops those that came up, whatever happens. */
export async function withServers<K extends string, T>(
  starts: Record<K, () => Promise<Server>>,
  use: (servers: Record<K, Server>) => Promise<T>,
): Promise<T> {
  const up = {} as Record<K, Server>;
  const running: Server[] = [];
  try {
    for (const name in starts) running.push((up[name] = await starts[name]()));
    return await use(up);
  } catch (error) {
    for (const { lastWords } of running) if (lastWords() !== "") console.error(`a server said:\n${lastWords()}\n`);
    throw error;
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
}
