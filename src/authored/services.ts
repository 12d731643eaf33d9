import type { Deadline } from "../core/deadline.ts";
import type { Json } from "../core/json.ts";
import type { Logger } from "../core/source.ts";
import type { Needs } from "../engines/choose.ts";
import type { Compiled } from "../engines/compile.ts";
import type { Secrets } from "../credentials/credentials.ts";
import type { EngineName, ExecutionEngine, JobLimits, PackageBundle, Program } from "../engines/engine.ts";
import type { Egress } from "../machine/net/egress.ts";
import type { PackageLock, PackageStore } from "../machine/packages/packages.ts";
import type { Schemas } from "../schemas/schemas.ts";
import type { Store } from "../store/store.ts";
import type { Actor, EngineChoice } from "./authored.ts";

/** What this room is handed. */
export interface AuthoredServices {
  store: Pick<Store, "items" | "changes">;
  engines: Readonly<Partial<Record<EngineName, ExecutionEngine>>>;
  /** @throws INVALID_CODE with `data.line` and `data.column` */
  compile(source: { code: string; language: "js" | "ts"; name: string }): Promise<Compiled>;
  /** @throws ENGINE_UNAVAILABLE when nothing here can run it */
  chooseEngine(needs: Needs, by: Pick<Actor, "deadline" | "onProgress">): Promise<EngineChoice>;
  packages: Pick<PackageStore, "resolve" | "layer">;
  /** One script of installed packages, or why there is none. `imports` as the body writes them. */
  bundle(
    from: { folder: string; imports: readonly string[] },
    deadline: Deadline,
  ): Promise<PackageBundle | { reason: string }>;
  /** What code may ask of us while it runs. */
  egress: Pick<Egress, "fetch">;
  secrets: Pick<Secrets, "get">;
  schemas: Schemas;
  log: Logger;
  /** ms since 1970 */
  now(): number;
  /** A fresh random text: seeds a run. */
  newSeed(): string;
  /** Who else has this wire name, when somebody has: `the pack demo`. Such a tool would be listed under another name. */
  takenBy?(wireName: string): string | undefined;
  settings: AuthoredSettings;
}

export interface AuthoredSettings {
  isReadOnly: boolean;
  maxTools: number;
  /** Longest time limit that a tool may ask for, in ms. */
  maxTimeoutMs: number;
  /** For all examples of one write together, in ms. */
  maxExamplesMs: number;
  limits: Omit<JobLimits, "memoryMiB">;
  memoryMiB: Readonly<Record<EngineName, number>>;
  /** What tools that name no image of their own get. */
  defaultImage: string;
}

/** A program that may run: an accepted tool's or a passing one's. */
export interface Runnable {
  name: string;
  program: Program;
  engine: EngineName;
  timeoutMs: number;
  image?: string;
  lock?: PackageLock;
  bundle?: PackageBundle;
  /** Hosts that it may reach, secrets that it may read, tools that it may call. */
  network: readonly string[];
  secrets: readonly string[];
  uses: readonly string[];
}

/** JSON text that came from a guest, as data. */
export function parseGuest(text: string): Json {
  return JSON.parse(text) as Json;
}
