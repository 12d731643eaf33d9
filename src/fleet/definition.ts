import type { Exposure } from "../core/exposure.ts";
import type { UpstreamTarget } from "../upstreams/upstream.ts";

/** Where a server's definition comes from. Files win names over the store, the store over what was attached. */
export type ServerOrigin = "file" | "store" | "attached";

/** One server as it is to be run: read, checked, all variables replaced. */
export interface ServerDefinition {
  name: string;
  origin: ServerOrigin;
  /** For people: the file and line, or `store`. */
  where: string;
  /** Absent when `problem` says why it cannot be used. */
  target: UpstreamTarget | undefined;
  /** Why it cannot be used, such as an undefined variable. The server is listed with it and does nothing. */
  problem?: string;
  isEnabled: boolean;
  /** Written by the operator; else the server's own words are shown. */
  description?: string;
  features: { tools: boolean; resources: boolean; prompts: boolean };
  /** In ms. */
  timeouts: { connect: number; tools: number; resources: number; prompts: number };
  tools: {
    /** Patterns with `*`; empty: all. Of the server's own names. */
    allow: readonly string[];
    deny: readonly string[];
    /** Own name -> listed name, without prefix; also patterns, with one `*` on each side. */
    rename: Readonly<Record<string, string>>;
  };
  /** Put before names as `<prefix>__`; empty: none. */
  prefix: string;
  expose: Exposure | undefined;
  /** A connection of its own for each client, so that questions always reach the right one. */
  isInteractive: boolean;
  /** A connection that nobody used for this long is closed, in ms; 0: never. */
  idleStopMs: number;
  /** Requests at once; more wait. */
  maxConcurrency: number;
  /** sha-256 of all that decides what the server answers: a cache of its lists is kept under it. */
  digest: string;
  /** Values that must not show in answers or logs: what variables and files gave for `env` and `headers`. */
  secrets: readonly string[];
}
