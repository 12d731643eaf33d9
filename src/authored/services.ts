import type { Json } from "../core/json.ts";
import type { Logger } from "../core/source.ts";
import type { Needs } from "../engines/choose.ts";
import type { Compiled } from "../engines/compile.ts";
import type { EngineName, ExecutionEngine, JobLimits, Program } from "../engines/engine.ts";
import type { Schemas } from "../schemas/schemas.ts";
import type { Store } from "../store/store.ts";
import type { EngineChoice } from "./authored.ts";

/** What this room is handed. */
export interface AuthoredServices {
  store: Pick<Store, "items" | "changes">;
  engines: Readonly<Partial<Record<EngineName, ExecutionEngine>>>;
  /** @throws INVALID_CODE with `data.line` and `data.column` */
  compile(source: { code: string; language: "js" | "ts"; name: string }): Promise<Compiled>;
  /** @throws ENGINE_UNAVAILABLE when nothing here can run it */
  chooseEngine(needs: Needs): EngineChoice | Promise<EngineChoice>;
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
  limits: JobLimits;
}

/** A program that may run: an accepted tool's or a passing one's. */
export interface Runnable {
  name: string;
  program: Program;
  engine: EngineName;
  timeoutMs: number;
}

/** JSON text that came from a guest, as data. */
export function parseGuest(text: string): Json {
  return JSON.parse(text) as Json;
}
