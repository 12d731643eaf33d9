import { existsSync, readFileSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { platformCacheDir } from "../config/platform.ts";
import type { OpenApp } from "./app.ts";

/** When a start is over and what it compiled can be kept, in ms. */
const SETTLED_MS = 2000;

interface Start {
  process: Omit<NodeJS.Process, "env">;
  env: Readonly<Record<string, string | undefined>>;
  openApp: OpenApp;
}

/**
 * Runs the program in this process and ends it.
 *
 * Compiled code is cached in a folder of the user's own: the one that Node would choose lies among temporary files,
 * where others may put something first.
 */
export async function start({ process, env, openApp }: Start): Promise<void> {
  const machine = { env, homeDir: homedir(), platform: process.platform };
  module.enableCompileCache(join(platformCacheDir(machine), "compiled"));
  setTimeout(() => module.flushCompileCache(), SETTLED_MS).unref();

  const [{ runCli }, { watchForStop }] = await Promise.all([import("./run.ts"), import("./stop.ts")]);
  const code = await runCli({
    ...machine,
    argv: process.argv.slice(2),
    cwd: process.cwd(),
    readFile: (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    program: { execPath: process.execPath, entry: process.argv[1] ?? "" },
    openApp,
    stopped: watchForStop(process),
  });
  // Pipes are written in the background on some platforms: the end of a long list must not get lost.
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength > 0 && !stream.destroyed) await new Promise((resolve) => stream.write("", resolve));
  }
  process.exit(code);
}
