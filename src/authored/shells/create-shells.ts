import { randomUUID } from "node:crypto";
import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { ExecEnd, ExecOptions, Shell, ShellEngine } from "../../engines/shells.ts";
import type { PackageLock, PackageSpec, PackageStore } from "../../machine/packages/packages.ts";
import type { Actor } from "../authored.ts";
import { createKeeping, type Kept } from "./keeping.ts";
import { createPlaces } from "./places.ts";
import { type CommandRun, type FileOut, hasFailed, type ShellRequest, type ShellRun, type Shells } from "./shells.ts";

export interface ShellsServices {
  engine: ShellEngine;
  packages: Pick<PackageStore, "resolve" | "layer">;
  /** ms since 1970 */
  now(): number;
  settings: ShellsSettings;
}

export interface ShellsSettings {
  /** Most shells at once, those that are being started included. */
  maxPerPrincipal: number;
  maxTotal: number;
  /** A shell that nobody used for this long ends. */
  idleMs: number;
  /** A shell ends this long after its start. */
  maxAgeMs: number;
  /** Longest time limit that a call may ask for. */
  maxTimeoutMs: number;
  /** Most that the commands of one call may print, and that the files of one call may hold. */
  maxOutputBytes: number;
}

interface Step {
  command: string;
  run(limits: ExecOptions): Promise<ExecEnd>;
}

/** How a module is named where commands have their text. */
const MODULE = "node module.mjs";
/** Most lists of packages that a shell remembers the versions of. */
const MAX_LOCKS = 16;

export function createShells({ engine, packages, now, settings }: ShellsServices): Shells {
  const keeping = createKeeping({ ...settings, now });
  const places = createPlaces(settings);
  const starting = new Set<Deadline>();
  let isClosed = false;

  /** One call on one's own shell: alone, while it counts as used. */
  async function using<T>(id: string, by: Actor, work: (kept: Kept) => Promise<T>): Promise<T> {
    const kept = keeping.find(id, by.principal);
    const stopUsing = keeping.use(kept);
    try {
      return await kept.inTurn(() => work(keeping.find(id, by.principal)), by.deadline);
    } finally {
      stopUsing();
    }
  }

  function assertTimeout(timeoutMs: number): void {
    if (timeoutMs <= settings.maxTimeoutMs) return;
    const why = `timeoutMs must be at most ${settings.maxTimeoutMs} on this server, got ${timeoutMs}`;
    throw new DynamicMcpError("INVALID_ARGUMENTS", why);
  }

  /** Runs the steps until one fails, within one time limit and one limit of output. */
  async function runAll(
    { shell }: Kept,
    steps: readonly Step[],
    request: ShellRequest,
    by: Actor,
    continueOnError = false,
  ): Promise<ShellRun> {
    const endsAtMs = performance.now() + request.timeoutMs;
    const leftMs = () => Math.max(1, endsAtMs - performance.now());
    if (request.files.length > 0) {
      await withLimit(by, leftMs(), (limit) => shell.writeFiles(request.files, limit));
    }
    const runs: CommandRun[] = [];
    let outputLeft = settings.maxOutputBytes;
    for (const { command, run } of steps) {
      const limits = { timeoutMs: leftMs(), maxOutputBytes: outputLeft, deadline: by.deadline };
      const end = await run(limits).catch((error: unknown) => asEnd(error, runs.length));
      outputLeft = Math.max(0, outputLeft - Buffer.byteLength(end.stdout) - Buffer.byteLength(end.stderr));
      runs.push({ command, ...end });
      const isOver = end.isShellLost === true || end.stopped === "timeout" || end.stopped === "ended";
      if (isOver || (hasFailed(end) && !continueOnError)) break;
    }
    const isShellLost = runs.some((run) => run.isShellLost);
    const files = isShellLost ? [] : await readEach(shell, request, by, Math.max(READ_MS, leftMs()));
    return { runs, notRun: steps.length - runs.length, folder: shell.folder, files, isShellLost };
  }

  /** A file that is not there must not cost what the commands printed. */
  async function readEach(shell: Shell, { readFiles }: ShellRequest, by: Actor, timeoutMs: number): Promise<FileOut[]> {
    if (readFiles.length === 0 || by.deadline.reason) return [];
    return withLimit(by, timeoutMs, async (limit) => {
      const files: FileOut[] = [];
      let left = settings.maxOutputBytes;
      for (const path of readFiles) {
        try {
          const [file] = await shell.readFiles([path], left, limit);
          left -= file?.bytes.byteLength ?? 0;
          files.push({ path, ...(file && { bytes: file.bytes }) });
        } catch (error) {
          if (!(error instanceof DynamicMcpError) || by.deadline.reason) throw error;
          files.push({ path, problem: error.message });
        }
      }
      return files;
    });
  }

  /** The same packages for the whole life of a shell, as long as not too many lists of them are asked for. */
  async function lockOf({ locks }: Kept, dependencies: readonly PackageSpec[], by: Actor): Promise<PackageLock> {
    const wanted = JSON.stringify(dependencies);
    const lock =
      locks.get(wanted) ?? (await packages.resolve(dependencies, by.deadline, (message) => by.onProgress?.(message)));
    locks.delete(wanted);
    locks.set(wanted, lock);
    const [oldest] = locks.keys();
    if (locks.size > MAX_LOCKS && oldest !== undefined) locks.delete(oldest);
    return lock;
  }

  return {
    isAvailable: () => engine.isAvailable(),
    onChange: (listener) => engine.onChange(listener),
    list: (principal) => keeping.list(principal),

    async start({ image, timeoutMs, files }, by) {
      if (isClosed) throw new DynamicMcpError("SHUTTING_DOWN", "the server is stopping");
      keeping.sweep();
      const giveBack = places.take(by.principal);
      const limit = by.deadline.child(timeoutMs);
      starting.add(limit);
      let shell: Shell | undefined;
      try {
        const id = `mcp-sbx-${randomUUID()}`;
        const options = { id, ...(image !== undefined && { image }) };
        shell = await engine.open(options, limit, (message) => by.onProgress?.(message));
        if (files.length > 0) await shell.writeFiles(files, limit);
        limit.throwIfEnded();
        keeping.add({ id, principal: by.principal, shell }, giveBack);
        return { view: keeping.viewOf(id), idleMs: settings.idleMs, folder: shell.folder };
      } catch (error) {
        await shell?.stop();
        giveBack();
        throw limit.reason && !by.deadline.reason ? limit.error() : error;
      } finally {
        starting.delete(limit);
        limit.close();
      }
    },

    async exec(request, by) {
      assertTimeout(request.timeoutMs);
      const { commands, continueOnError } = request;
      return using(request.id, by, (kept) => {
        const steps = commands.map((command) => ({
          command,
          run: (limits: ExecOptions) => kept.shell.exec(command, limits),
        }));
        return runAll(kept, steps, request, by, continueOnError);
      });
    },

    async runModule(request, by) {
      assertTimeout(request.timeoutMs);
      const { code, dependencies } = request;
      return using(request.id, by, async (kept) => {
        const lock = dependencies.length > 0 ? await lockOf(kept, dependencies, by) : undefined;
        // Only for this run: packages are copied into the shell, and an idle one must not keep them from being removed.
        const layer = lock && (await packages.layer(lock, by.deadline, (message) => by.onProgress?.(message)));
        try {
          const run = (limits: ExecOptions) => kept.shell.runModule(code, { ...limits, ...(layer && { layer }) });
          return await runAll(kept, [{ command: MODULE, run }], request, by);
        } finally {
          layer?.release();
        }
      });
    },

    async stop(id, principal) {
      keeping.find(id, principal);
      await keeping.end(id);
    },

    async close() {
      isClosed = true;
      for (const limit of starting) limit.end("shutdown");
      await keeping.endAll();
    },
  };
}

/** What the commands before have printed must not be lost by one that cannot even begin. */
function asEnd(error: unknown, runsBefore: number): ExecEnd {
  if (runsBefore === 0 || !(error instanceof DynamicMcpError)) throw error;
  const isShellLost = error.code === "SHELL_NOT_FOUND";
  return { stdout: "", stderr: error.message, droppedBytes: 0, durationMs: 0, ...(isShellLost && { isShellLost }) };
}

/** Files may be read for at least so long after the commands, also when these used up their time. */
const READ_MS = 500;

async function withLimit<T>(by: Actor, timeoutMs: number, work: (limit: Deadline) => Promise<T>): Promise<T> {
  const limit = by.deadline.child(timeoutMs);
  try {
    return await work(limit);
  } finally {
    limit.close();
  }
}
