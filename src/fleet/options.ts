import type { JsonObject } from "../core/json.ts";
import type { Problem } from "../core/problems.ts";
import type { Logger } from "../core/source.ts";
import type { ListStore } from "../store/store.ts";
import type { Connect } from "../upstreams/upstream.ts";

export interface FleetOptions {
  connect: Connect;
  /** Where lists are remembered. */
  lists: ListStore;
  /** Checks the arguments of tools. */
  validate: (schema: JsonObject, value: unknown) => Promise<readonly Problem[]>;
  log: Logger;
  /** ms since 1970. */
  now: () => number;
  /** Gives a number in [0, 1). */
  random: () => number;
  /** Who we say we are. */
  client: { name: string; version: string };
  /** One client is served in all, over stdio: each server has one connection, which is that client's. */
  isSingleClient?: boolean;
  /** Folder for a log file of each server, which another process can show; absent: none is written. */
  logFolder?: string;
  limits?: Partial<FleetLimits>;
}

export interface FleetLimits {
  /** Servers whose lists are read at once, of those of which nothing is remembered. */
  learners: number;
  /** A server that takes longer to answer no longer counts as one of these, in ms. */
  slowMs: number;
  /** Bounds of the pauses after failures, in ms. */
  retry: { baseMs: number; capMs: number };
  /** A connection that was made to read lists alone is closed after this long, in ms. */
  listIdleMs: number;
  /** A connection of one client is closed when that client has not used it for this long, in ms. */
  dedicatedIdleMs: number;
  /** Lists are read again after a connection was made when the last time is as long ago, in ms. */
  refreshMs: number;
  /** Changes of a list within this time are read once, in ms. */
  debounceMs: number;
  /** Connections of one server: those that are shared, and those of one client each. */
  sharedLinks: number;
  dedicatedLinks: number;
  /** Largest message of a server, in bytes. */
  messageBytes: number;
  lists: { pages: number; items: number; chars: number; lineChars: number };
  /** How long a client may take to answer a question of a server that waits for it in memory, in ms. */
  askTtlMs: number;
  /** Calls of one principal, which may be many clients, that wait like this at once; the oldest ends. */
  parkedPerPrincipal: number;
  parked: number;
  log: { lines: number; chars: number; fileBytes: number };
}

export const DEFAULT_LIMITS: FleetLimits = {
  learners: 4,
  slowMs: 2_000,
  retry: { baseMs: 250, capMs: 60_000 },
  listIdleMs: 60_000,
  dedicatedIdleMs: 15 * 60_000,
  refreshMs: 60_000,
  debounceMs: 100,
  sharedLinks: 8,
  dedicatedLinks: 256,
  messageBytes: 128 * 1024 * 1024,
  lists: { pages: 1_000, items: 20_000, chars: 64 * 1024 * 1024, lineChars: 512 * 1024 },
  askTtlMs: 10 * 60_000,
  parkedPerPrincipal: 128,
  parked: 256,
  log: { lines: 500, chars: 128 * 1024, fileBytes: 256 * 1024 },
};
