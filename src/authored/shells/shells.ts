import type { ExecEnd } from "../../engines/shells.ts";
import type { PackageSpec } from "../../machine/packages/packages.ts";
import type { Actor } from "../authored.ts";

/**
 * Shells that principals keep: sandboxes in which commands run one after the other. A shell belongs to who started it;
 * for everybody else it does not exist. There are only so many, and each ends: unused, too old, stopped, or with us.
 */
export interface Shells {
  /** Whether shells can be had here now, as far as is known; false until somebody has looked. */
  isAvailable(): boolean;
  /** "Look again": `isAvailable` has changed. Returns the end of the subscription. */
  onChange(listener: () => void): () => void;

  /**
   * Nothing is left when it fails, and what could be one too many is not even begun.
   *
   * @param timeoutMs for the start alone, with the fetching of an image
   * @throws SHELL_LIMIT; ENGINE_UNAVAILABLE, IMAGE_*; INVALID_ARGUMENTS for files that cannot be written; TIMEOUT
   */
  start(request: { image?: string; timeoutMs: number; files: readonly FileIn[] }, by: Actor): Promise<ShellStarted>;

  /**
   * Writes files, runs commands in order, reads files. Stops at the first command that fails, unless `continueOnError`;
   * what the others printed is never lost by that. Calls on one shell wait for each other.
   *
   * @throws SHELL_NOT_FOUND; INVALID_ARGUMENTS for files that cannot be written, nothing has run then; TIMEOUT, CANCELLED
   */
  exec(request: ShellRequest & { commands: readonly string[]; continueOnError: boolean }, by: Actor): Promise<ShellRun>;

  /** The same with one JavaScript module. @throws IMAGE_UNUSABLE, PACKAGE_*, REGISTRY_UNAVAILABLE besides */
  runModule(
    request: ShellRequest & { code: string; dependencies: readonly PackageSpec[] },
    by: Actor,
  ): Promise<ShellRun>;

  /** @throws SHELL_NOT_FOUND */
  stop(id: string, principal: string): Promise<void>;

  /** Those of the principal, oldest first. */
  list(principal: string): ShellView[];

  /** Ends all. Safe to call twice. */
  close(): Promise<void>;
}

export interface ShellRequest {
  id: string;
  /** For all commands together, from when the first begins. */
  timeoutMs: number;
  files: readonly FileIn[];
  readFiles: readonly string[];
}

export interface FileIn {
  path: string;
  bytes: Uint8Array;
}

export type ShellView = { id: string; image: string; createdAt: string; lastUsedAt: string; expiresAt: string };

export interface ShellStarted {
  view: ShellView;
  /** It ends when unused for this long. */
  idleMs: number;
  folder: string;
}

export interface ShellRun {
  /** Of those that began, in order. */
  runs: CommandRun[];
  /** Those that were not begun, because one before failed. */
  notRun: number;
  /** Where the last command left off. */
  folder: string;
  files: FileOut[];
  isShellLost: boolean;
}

export interface CommandRun extends ExecEnd {
  /** The command line; of a module its name. */
  command: string;
}

/** `bytes` is absent where it could not be read; `problem` says why. */
export interface FileOut {
  path: string;
  bytes?: Uint8Array;
  problem?: string;
}

export function hasFailed({ exitCode, stopped }: ExecEnd): boolean {
  return exitCode !== 0 || stopped !== undefined;
}
