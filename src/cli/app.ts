import type { Readable, Writable } from "node:stream";
import type { Calls } from "../calls/calls.ts";
import type { Settings } from "../config/schema.ts";
import type { ExecutionEngine } from "../engines/engine.ts";
import type { Store } from "../store/store.ts";

/** The program as commands see it. The composition root makes it. */
export interface App {
  readonly settings: Settings;
  readonly calls: Calls;
  readonly store: Pick<Store, "health" | "calls">;
  readonly engines: readonly Pick<ExecutionEngine, "name" | "probe">[];
  /** Ends with the input. */
  serveStdio(input: Readable, output: Writable): Promise<void>;
  /** @throws ADDRESS_IN_USE */
  listenHttp(): Promise<{ url: string; port: number; close(): Promise<void> }>;
  /** Lets running calls finish up to the grace of the settings, then lets go of everything. Safe to call twice. */
  close(): Promise<void>;
}

export type OpenApp = (settings: Settings) => Promise<App>;
