import type { Readable, Writable } from "node:stream";
import type { Calls } from "../calls/calls.ts";
import type { Settings } from "../config/schema.ts";
import type { Secrets } from "../credentials/credentials.ts";
import type { ExecutionEngine } from "../engines/engine.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { StoredServers } from "../fleet/stored-servers.ts";
import type { PackageStore } from "../machine/packages/packages.ts";
import type { HttpListener } from "../server/server.ts";
import type { Store } from "../store/store.ts";
import type { Surface } from "../surface/surface.ts";

/** The whole program, built and not yet serving. */
export interface App {
  readonly settings: Settings;
  readonly store: Store;
  readonly surface: Pick<Surface, "view">;
  readonly calls: Calls;
  readonly secrets: Secrets;
  readonly packages: Pick<PackageStore, "health">;
  readonly engines: readonly ExecutionEngine[];
  readonly fleet: Fleet;
  readonly servers: StoredServers;

  /** Serves one client over a pair of streams until it closes its side. */
  serveStdio(input: Readable, output: Writable): Promise<void>;

  /** @throws ADDRESS_IN_USE */
  listenHttp(): Promise<HttpListener>;

  /**
   * Stops in the order in which nothing is lost: no new requests, running calls finish or end at the grace of the
   * settings, the journal is written, engines end, the store is closed. Safe to call twice.
   */
  close(): Promise<void>;
}
