import type { Readable, Writable } from "node:stream";
import type { Calls } from "../calls/calls.ts";
import type { Ambient } from "../config/ambient.ts";
import type { Settings } from "../config/schema.ts";
import type { Secrets } from "../credentials/credentials.ts";
import type { ExecutionEngine } from "../engines/engine.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { StoredServers } from "../fleet/stored-servers.ts";
import type { PackageStore } from "../machine/packages/packages.ts";
import type { Store } from "../store/store.ts";
import type { Surface } from "../surface/surface.ts";

/** The program as commands see it. The composition root makes it. */
export interface App {
  readonly settings: Settings;
  readonly surface: Pick<Surface, "view">;
  readonly calls: Calls;
  readonly store: Pick<Store, "health" | "calls">;
  readonly engines: readonly Pick<ExecutionEngine, "name" | "probe">[];
  readonly packages: Pick<PackageStore, "health">;
  readonly fleet: Pick<Fleet, "servers" | "server" | "known" | "restart">;
  /** Those of the store are known to `fleet` when the app is open, and after each write. */
  readonly servers: Pick<StoredServers, "get" | "put" | "remove" | "restart">;
  readonly secrets: Pick<Secrets, "list" | "set" | "remove">;
  /** Ends with the input. */
  serveStdio(input: Readable, output: Writable): Promise<void>;
  /** @throws ADDRESS_IN_USE */
  listenHttp(): Promise<{ url: string; port: number; close(): Promise<void> }>;
  /** Lets running calls finish up to the grace of the settings, then lets go of everything. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * @param ambient what the environment and the configuration file hold besides settings
 * @param use whether clients will be served: else nothing is begun that nobody asked for
 */
export type OpenApp = (settings: Settings, ambient: Ambient, use: { isServing: boolean }) => Promise<App>;
