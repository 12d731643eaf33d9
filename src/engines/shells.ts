import type { Deadline } from "../core/deadline.ts";
import type { Layer } from "./engine.ts";

/**
 * Long-lived sandboxes in which commands are run one after the other. An engine's part of a shell: who owns it, how
 * many there may be and when it expires is `authored`'s.
 */
export interface ShellEngine {
  /** Whether shells can be had here right now; asked often, so the answer may be some seconds old. */
  isAvailable(): boolean;
  /** "Look again": `isAvailable` has changed. */
  onChange(listener: () => void): () => void;

  /**
   * Starts one. Nothing is left when it fails.
   *
   * @throws IMAGE_NOT_ALLOWED, IMAGE_NOT_FOUND, IMAGE_UNUSABLE (no shell in it), ENGINE_UNAVAILABLE; the deadline's error
   */
  open(options: ShellOptions, deadline: Deadline, onProgress: (message: string) => void): Promise<Shell>;
}

export interface ShellOptions {
  image?: string;
  /** Ours, unique, and fit for the name of a container; other parts of the program know the shell by it. */
  id: string;
}

export interface Shell {
  readonly image: string;
  /** Absolute: where the last command left off, and where relative paths begin. */
  readonly folder: string;

  /**
   * Runs one command line with the image's `sh`, in the folder and with the exported variables that the one before left.
   * One thing at a time: of `exec`, `runModule`, `writeFiles` and `readFiles` the next begins when the last has ended.
   *
   * At its time limit the command and what it started die, and so at the deadline's; the answer says so.
   * What it leaves in the background goes on until the shell ends; the shell is ended when that prints more than 64 MiB
   * between two commands.
   * @throws SHELL_NOT_FOUND when the sandbox is gone; INVALID_ARGUMENTS for what can be no command
   */
  exec(command: string, options: ExecOptions): Promise<ExecEnd>;

  /**
   * Runs a JavaScript module with the image's Node, as a file of `folder`; `layer` as `node_modules` beside it.
   * @throws IMAGE_UNUSABLE when there is no Node in the image; SHELL_NOT_FOUND; TOO_LARGE when the packages do not fit;
   *   INVALID_ARGUMENTS when somebody else's `node_modules` is there
   */
  runModule(code: string, options: ExecOptions & { layer?: Layer }): Promise<ExecEnd>;

  /**
   * Writes files by content; folders are made. Paths are relative to `folder` or absolute; only what can be written from
   * inside can be written so, wherever links lead.
   *
   * @throws INVALID_ARGUMENTS for a path that cannot be written, SHELL_NOT_FOUND, TOO_LARGE
   */
  writeFiles(files: readonly ShellFile[], deadline: Deadline): Promise<void>;

  /** @throws INVALID_ARGUMENTS for what is not a file, TOO_LARGE past `maxBytes` of all together */
  readFiles(paths: readonly string[], maxBytes: number, deadline: Deadline): Promise<ShellFile[]>;

  /** Ends it with all that runs in it. Safe to call twice. */
  stop(): Promise<void>;

  /** Resolves when it is gone, by whatever cause. */
  readonly gone: Promise<void>;
}

export interface ShellFile {
  path: string;
  bytes: Uint8Array;
}

export interface ExecOptions {
  timeoutMs: number;
  /** Of stdout and stderr together; the rest is dropped and counted. */
  maxOutputBytes: number;
  deadline: Deadline;
}

export interface ExecEnd {
  /** Absent when it did not end by itself. With `out-of-memory` it may be there: something that it started was killed. */
  exitCode?: number;
  stdout: string;
  stderr: string;
  droppedBytes: number;
  /** `timeout`: at its own limit, `ended`: the call's deadline or its client, `out-of-memory`. */
  stopped?: "timeout" | "ended" | "out-of-memory";
  /** The whole sandbox is gone: it had to be ended along, because the command would not die, or it was ended meanwhile. */
  isShellLost?: true;
  durationMs: number;
}
