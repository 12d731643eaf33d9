import type { Deadline } from "../core/deadline.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { HostCalls } from "../core/source.ts";

export const ENGINE_NAMES = ["quickjs", "docker", "node"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What holds the code in, in the words of docs/security. */
export const ENGINE_LEVELS = {
  quickjs: "an interpreter in WebAssembly, in a process without files, environment or child processes",
  docker: "a container without network; the kernel is shared",
  node: "a Node process in a jail of namespaces, without network; the kernel is shared",
} as const satisfies Record<EngineName, string>;

/**
 * Where untrusted code runs. One contract suite (`engine.contract.ts`) and one attack suite for all.
 *
 * Promises of every engine: a job sees no file, network, environment or other job; it ends at its time limit plus at
 * most 0.5 s; what it prints, throws or returns is data and never decides anything; after any end the next job is fine.
 */
export interface ExecutionEngine {
  readonly name: EngineName;

  /**
   * Runs a job. Never throws for what the code does: that is a `JobEnd`.
   *
   * @param deadline of the call: also waiting for a free sandbox ends with it. The job's own time (`runMs`) begins later
   * @throws ENGINE_UNAVAILABLE when the engine could not be started (`message` says what to do)
   * @throws OVERLOADED with `data.retryAfterMs` when no sandbox became free for too long; nothing ran
   */
  run(job: Job, host: HostCalls, deadline: Deadline): Promise<JobEnd>;

  /** Tries the engine for real and says what it is worth. */
  probe(): Promise<EngineHealth>;

  /** Ends what runs. Safe to call twice. */
  close(): Promise<void>;
}

export interface Job {
  /** Compiled by `compile`, with the digest that caches may use. */
  program: Program;
  /** JSON text of the arguments, an object. */
  argsJson: string;
  limits: JobLimits;
  /**
   * How long it may run, in ms (> 0), from when a sandbox starts it: what it waited for one does not count. Within the
   * call's deadline, which alone holds when this is absent.
   */
  runMs?: number;
  /** Seeds `Math.random` and `crypto.randomUUID`: the same seed gives the same run. */
  seed: string;
  /** What the job sees as the time of its start, ms since 1970. */
  startedAtMs: number;
  /** What the job may ask of the host. A global that it may not use is not there. */
  may: HostAccess;
  /** How many calls are around it: 0 for a call from outside, one more for each call within. */
  depth: number;
  /**
   * Whose job it is: the principal. Jobs of two scopes never meet in one container, whatever else is shared.
   */
  scope: string;
  /** npm packages that it imports, read-only at `/node_modules`. Engines with the Node API only. */
  layer?: Layer;
  /** Packages as one script, for an engine without files: see {@link PackageBundle}. */
  bundle?: PackageBundle;
  /** The container image, already allowed. Engines without images pass it over. */
  image?: string;
}

export interface HostAccess {
  /** `tools.call(name, args)` */
  callTools: boolean;
  /** `fetch(url, init)` */
  fetch: boolean;
  /** `secrets.get(name)` */
  readSecrets: boolean;
}

export const NO_ACCESS: HostAccess = Object.freeze({ callTools: false, fetch: false, readSecrets: false });

/** Installed packages: a folder that holds `node_modules`, never written again. */
export interface Layer {
  /** sha-256 of the lock, hex: the same key, the same bytes. */
  key: string;
  /** On this machine, absolute. */
  folder: string;
}

/**
 * Packages bundled for an interpreter without files. `js` is an expression: an object whose keys are the names that the
 * body imports, each a function that gives the module's namespace when first asked.
 */
export interface PackageBundle {
  js: string;
  /** sha-256 of `js`, hex. */
  digest: string;
}

/** A function body in plain JavaScript, positions as the author wrote them (types are blanked, not removed). */
export interface Program {
  js: string;
  /** sha-256 of `js`, hex. */
  digest: string;
  /** Shown in stack traces. */
  name: string;
}

export interface JobLimits {
  memoryMiB: number;
  argsBytes: number;
  resultBytes: number;
  logBytes: number;
  /** Open host calls at once, and in all. */
  hostCalls: { open: number; total: number };
}

export type JobEnd = JobDone | JobFailed;

interface JobFacts {
  /** Console output, oldest first, cut at `logBytes`. */
  logs: ConsoleLine[];
  /** Bytes of output that did not fit. */
  logBytesDropped: number;
  wallMs: number;
}

export interface JobDone extends JobFacts {
  state: "done";
  /** JSON text of the returned value; `null` for undefined. At most `resultBytes`. */
  resultJson: string;
}

/** How code ends by its own doing; the other codes of {@link JobFailed} are ends from outside. */
export type GuestFault = Extract<
  ErrorCode,
  | "CODE_THREW"
  | "TIMEOUT"
  | "OUT_OF_MEMORY"
  | "NEVER_SETTLES"
  | "RESULT_NOT_JSON"
  | "TOO_LARGE"
  | "ENGINE_CRASHED"
  | "PROCESS_EXITED"
>;

export interface JobFailed extends JobFacts {
  state: "failed";
  code: GuestFault | Extract<ErrorCode, "CANCELLED" | "PARENT_ENDED" | "SHUTTING_DOWN" | "FORBIDDEN">;
  /** For people and models: what happened and what to do. Of a thrown error its own message, at most 4,000 characters. */
  message: string;
  /** Of a thrown error: its `name`, and where in the author's code (from 1). */
  errorName?: string;
  /** When that was a host call's refusal: its code of the error table, as the code says. Nothing may depend on it. */
  errorCode?: string;
  line?: number;
  column?: number;
}

export interface ConsoleLine {
  level: "debug" | "log" | "info" | "warn" | "error";
  text: string;
}

export interface EngineHealth {
  name: EngineName;
  isAvailable: boolean;
  /** What holds the code in, in the words of docs/security. */
  level: string;
  /** Why it is not available, and what to do. */
  problem?: string;
  /** What will happen at first use and may take long, or is weaker than it could be. */
  note?: string;
  detail?: Record<string, unknown>;
}
