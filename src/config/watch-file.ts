import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Logger } from "../core/source.ts";
import type { ServersPart } from "./ambient.ts";
import { type ConfigFile, readConfigFile } from "./file.ts";
import { leaves } from "./schema.ts";

export interface FileWatch {
  /** Looks now, and not when the system or the clock says so. Resolves when what was found has been told. */
  look(): Promise<void>;
  close(): void;
}

export interface WatchFileOptions {
  /** What was read at start. */
  initial: ServersPart;
  log: Logger;
  /** What the file says about servers is something else now. */
  onServers(servers: ServersPart): void;
  /** After the first sign of a change: a file is often written in several steps. In ms. */
  settleMs?: number;
  /** Where the system tells nothing, as on network drives. In ms. */
  pollMs?: number;
}

const SETTLE_MS = 150;
const POLL_MS = 2_000;
const MAX_BYTES = 16_777_216;

/**
 * Watches a configuration file: written in place, replaced by renaming, reached over links that change (as Kubernetes
 * mounts its volumes), deleted and put back. What cannot be used is told once in the log, and the last good one stays.
 * Keeps no process alive.
 */
export function watchConfigFile(options: WatchFileOptions): FileWatch {
  const { initial, log, onServers, settleMs = SETTLE_MS, pollMs = POLL_MS } = options;
  const { file, folder } = initial;
  let known = JSON.stringify(initial.raw);
  let settings: string | undefined;
  /** Of the text that was looked at last, and of one that is bad and may only be half written. */
  let seen = "";
  let suspect = "";
  let stamp = "";
  let isClosed = false;
  let settling: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();
  const folders = watchFolders(() => soon(), log);

  function soon(): void {
    if (isClosed) return;
    clearTimeout(settling);
    settling = setTimeout(() => void look(), settleMs).unref();
  }

  /** One after the other. */
  function look(): Promise<void> {
    looking = looking.then(lookOnce).catch((error: unknown) => log.error({ err: error, file }, "the configuration file could not be looked at")); // prettier-ignore
    return looking;
  }

  async function lookOnce(): Promise<void> {
    if (isClosed) return;
    await folders.follow(file);
    const found = await read(file);
    if (isClosed) return;
    const digest = createHash("sha256")
      .update(found.problem ?? found.text)
      .digest("hex");
    if (digest === seen) return;
    const config = found.problem === undefined ? readConfigFile(found.text, file, folder, leaves()) : undefined;
    const problem = found.problem ?? problemsOf(config);
    if (problem !== undefined && suspect !== digest) {
      suspect = digest;
      return soon();
    }
    seen = digest;
    suspect = "";
    if (problem !== undefined)
      log.warn({ file, problem }, "the configuration file cannot be used; what it said before stays"); // prettier-ignore
    else if (config) tell(config);
  }

  function tell(config: ConfigFile): void {
    const given = JSON.stringify(config.given.map(({ leaf, value }) => [leaf.key, value]));
    if (settings !== undefined && settings !== given) log.warn({ file }, "settings have changed in the configuration file; they count from the next start on"); // prettier-ignore
    settings = given;
    const servers = JSON.stringify(config.mcpServers);
    if (servers === known) return;
    known = servers;
    for (const remark of config.remarks) log.warn({ file }, remark);
    onServers({ file, folder, raw: config.mcpServers, places: config.places });
  }

  const polling = setInterval(() => {
    void stampOf(file).then((now) => {
      if (now === stamp) return;
      stamp = now;
      soon();
    });
  }, pollMs).unref();
  void look();

  return {
    look,
    close() {
      isClosed = true;
      clearInterval(polling);
      clearTimeout(settling);
      folders.close();
    },
  };
}

/** The folder of the file, and that of the file which a link leads to; others cost a look of the clock's. */
function watchFolders(onChange: () => void, log: Logger) {
  const watching = new Map<string, { watcher: FSWatcher; names: Set<string> }>();
  return {
    async follow(file: string): Promise<void> {
      const real = await realpath(file).catch(() => file);
      const wanted = new Map<string, Set<string>>();
      for (const path of [file, real]) wanted.set(dirname(path), (wanted.get(dirname(path)) ?? new Set()).add(basename(path))); // prettier-ignore
      for (const [folder, { watcher }] of watching) {
        if (wanted.has(folder)) continue;
        watcher.close();
        watching.delete(folder);
      }
      for (const [folder, names] of wanted) {
        const known = watching.get(folder);
        if (known) known.names = names;
        else this.watch(folder, names);
      }
    },
    watch(folder: string, names: Set<string>): void {
      try {
        const watcher = watch(folder, { persistent: false }, (_, name) => {
          const one = watching.get(folder);
          // `..data` is the link that Kubernetes exchanges. The store may lie in the same folder, and writes all the time.
          if (one && (name === null || one.names.has(name) || name.startsWith(".."))) onChange();
        });
        watching.set(folder, { watcher, names });
        watcher.on("error", () => {
          watcher.close();
          watching.delete(folder);
        });
      } catch (error) {
        log.debug({ err: error, folder }, "the system does not watch this folder; looking now and then");
      }
    },
    close(): void {
      for (const { watcher } of watching.values()) watcher.close();
      watching.clear();
    },
  };
}

async function read(file: string): Promise<{ text: string; problem?: string }> {
  try {
    const about = await stat(file);
    if (!about.isFile()) return { text: "", problem: "it is not a file" };
    if (about.size > MAX_BYTES) return { text: "", problem: `it is larger than ${MAX_BYTES} bytes` };
    return { text: await readFile(file, "utf8") };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { text: "", problem: code === "ENOENT" ? "there is no such file" : message };
  }
}

function problemsOf(config: ConfigFile | undefined): string | undefined {
  const [first, ...others] = config?.problems ?? [];
  if (!first) return undefined;
  return `${first.where}: ${first.message}${others.length > 0 ? `; and ${others.length} more` : ""}`;
}

async function stampOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(file);
    return [dev, ino, size, mtimeMs, ctimeMs].join(":");
  } catch {
    return "";
  }
}
