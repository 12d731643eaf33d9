import type { Deadline } from "../core/deadline.ts";

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
  /** Ours, unique; other parts of the program know the shell by it. */
  id: string;
}

export interface Shell {
  readonly image: string;

  /**
   * Runs one command line with the image's `sh`, in the folder where the one before left off.
   *
   * At its time limit the command and what it started die; the answer says so.
   * @throws SHELL_NOT_FOUND when the sandbox is gone
   */
  exec(command: string, options: ExecOptions): Promise<ExecEnd>;

  /**
   * Runs a JavaScript module with the image's Node; `layer` as `node_modules` beside it.
   * @throws IMAGE_UNUSABLE when there is no Node in the image; SHELL_NOT_FOUND
   */
  runModule(code: string, options: ExecOptions & { layer?: { key: string; folder: string } }): Promise<ExecEnd>;

  /**
   * Writes files by content; folders are made. Paths are relative to the working folder or absolute, and stay in what can
   * be written.
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
  /** Absent when it did not end by itself. */
  exitCode?: number;
  stdout: string;
  stderr: string;
  droppedBytes: number;
  /** `timeout`: at its own limit, `ended`: the call's deadline or its client, `out-of-memory`. */
  stopped?: "timeout" | "ended" | "out-of-memory";
  /** The whole sandbox had to be ended along, because the command would not die. */
  isShellLost?: true;
  durationMs: number;
}
