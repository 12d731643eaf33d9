import { existsSync, readFileSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { join, parse } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { platformCacheDir } from "../config/platform.ts";
import type { OpenApp } from "./app.ts";

/** When a start is over and what it compiled can be kept, in ms. */
const SETTLED_MS = 2000;
/** For whoever reads what we wrote, once we were told to stop, in ms. */
const LAST_WORDS_MS = 1000;

interface Start {
  host: Omit<NodeJS.Process, "env">;
  env: Readonly<Record<string, string | undefined>>;
  calledAs: "dynamic-mcp" | "dmcp";
  openApp: OpenApp;
}

/**
 * Runs the program in this process and ends it.
 *
 * Compiled code is cached in a folder of the user's own: the one that Node would choose lies among temporary files,
 * where others may put something first.
 */
export async function start({ host, env, calledAs, openApp }: Start): Promise<void> {
  keepQuiet(host);
  const machine = { env, homeDir: homeOf(), platform: host.platform };
  module.enableCompileCache(join(platformCacheDir(machine), "compiled"));
  setTimeout(() => module.flushCompileCache(), SETTLED_MS).unref();

  const [{ runCli }, { interruptibly, leave, watchForStop }] = await Promise.all([
    import("./run.ts"),
    import("./stop.ts"),
  ]);
  let signal: Awaited<ReturnType<typeof watchForStop>>;
  const stopped = watchForStop(host).then((name) => void (signal = name));
  const code = await runCli({
    ...machine,
    argv: host.argv.slice(2),
    cwd: host.cwd(),
    readFile: (path) => interruptibly(host, () => (existsSync(path) ? readFileSync(path, "utf8") : undefined)),
    stdin: host.stdin,
    stdout: host.stdout,
    stderr: host.stderr,
    program: { execPath: host.execPath, entry: host.argv[1] ?? "" },
    calledAs,
    openApp,
    stopped,
  });
  // Pipes are written in the background on some platforms: the end of a long list must not get lost. Its reader may take
  // its time; but one that never reads does not keep a program that was told to stop.
  const written = Promise.all([host.stdout, host.stderr].map(emptied));
  await Promise.race([written, stopped.then(() => wait(LAST_WORDS_MS))]);
  leave(host, code, signal);
}

async function emptied(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0 && !stream.destroyed) await new Promise((resolve) => stream.write("", resolve));
}

/**
 * Node warns on stderr that its SQLite is experimental (22 and 24), which tells users nothing: the versions that we run
 * on are those it was tried with. Other warnings are shown.
 */
function keepQuiet(host: Start["host"]): void {
  host.removeAllListeners("warning");
  host.on("warning", ({ name, message }) => {
    if (name !== "ExperimentalWarning") host.stderr.write(`${name}: ${message}\n`);
  });
}

/**
 * Of a user that the system does not know, as containers have them, there is none: what would lie in it cannot be made in
 * the root either, and that says which folder to choose.
 */
function homeOf(): string {
  try {
    return homedir();
  } catch {
    return parse(process.execPath).root;
  }
}
