import type { Readable, Writable } from "node:stream";
import type { Calls } from "../calls/calls.ts";
import type { Ambient } from "../config/ambient.ts";
import type { Settings } from "../config/schema.ts";
import type { Secrets } from "../credentials/credentials.ts";
import type { ExecutionEngine } from "../engines/engine.ts";
import type { PackageStore } from "../machine/packages/packages.ts";
import type { Store } from "../store/store.ts";

/** The program as commands see it. The composition root makes it. */
export interface App {
  readonly settings: Settings;
  readonly calls: Calls;
  readonly store: Pick<Store, "health" | "calls">;
  readonly engines: readonly Pick<ExecutionEngine, "name" | "probe">[];
  readonly packages: Pick<PackageStore, "health">;
  readonly secrets: Pick<Secrets, "list" | "set" | "remove">;
  /** Ends with the input. */
  serveStdio(input: Readable, output: Writable): Promise<void>;
  /** @throws ADDRESS_IN_USE */
  listenHttp(): Promise<{ url: string; port: number; close(): Promise<void> }>;
  /** Lets running calls finish up to the grace of the settings, then lets go of everything. Safe to call twice. */
  close(): Promise<void>;
}

/** @param ambient what the environment holds besides settings */
export type OpenApp = (settings: Settings, ambient: Ambient) => Promise<App>;
