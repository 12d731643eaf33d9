import type { Deadline } from "../core/deadline.ts";
import type { Exposure } from "../core/exposure.ts";
import type { JsonObject } from "../core/json.ts";
import type { Source } from "../core/source.ts";
import type { Era } from "../upstreams/upstream.ts";
import type { ServerDefinition, ServerOrigin } from "./definition.ts";

/**
 * The servers we have: their definitions, connections, and what they offer. Everything that others list is answered from
 * memory; connections are made when somebody needs them, and one bad server never touches another.
 */
export interface Fleet {
  /** Tools, prompts, resources and templates of all servers; named and filtered as their definitions say. */
  readonly source: Source;

  /** In ascending order of name. The same array (identity) until something in it has changed. */
  servers(): readonly ServerState[];

  server(name: string): ServerState | undefined;

  /**
   * Makes these the servers. Those whose definition has not changed are not touched: their connections and calls go on.
   *
   * @returns names by what became of them
   */
  apply(definitions: readonly ServerDefinition[]): FleetChange;

  /** Resolves when what is remembered of all servers has been read: from then on lists are answered with it. Quick. */
  settled(): Promise<void>;

  /**
   * Waits until it is known what a server offers (at once when it is), for those who must not answer from what is not
   * known yet.
   *
   * @throws SERVER_NOT_FOUND, SERVER_DISABLED, UPSTREAM_* with why it cannot be known; the deadline's own error
   */
  known(name: string, deadline: Deadline): Promise<ServerState>;

  /**
   * Ends a server's connections (calls under way fail), forgets its pauses after failures, and connects again.
   *
   * @throws as `known`
   */
  restart(name: string, deadline: Deadline): Promise<ServerState>;

  /** The last lines of a server, oldest first: its stderr, what it wrote beside messages, and what became of it. */
  logs(name: string): readonly LogLine[];

  /** Once per burst: the state of a server, or what it offers, has changed. */
  onChange(listener: () => void): () => void;

  counts(): { servers: number; connected: number; down: number };

  /** Ends all connections; no process is left. Safe to call twice. */
  close(): Promise<void>;
}

export interface FleetChange {
  added: readonly string[];
  changed: readonly string[];
  removed: readonly string[];
}

/**
 * | status      | meaning |
 * | ----------- | ------- |
 * | `disabled`  | switched off by its definition |
 * | `invalid`   | its definition cannot be used; `problem` says why |
 * | `unknown`   | never connected, and nothing remembered from earlier |
 * | `starting`  | being connected for the first time |
 * | `idle`      | known, not connected now; the next call connects |
 * | `ready`     | connected |
 * | `down`      | the last attempt failed; `problem` says why, `retryAt` when the next is due |
 * | `login`     | it asks for credentials, or refuses those it got |
 */
export type ServerStatus = "disabled" | "invalid" | "unknown" | "starting" | "idle" | "ready" | "down" | "login";

export interface ServerState {
  name: string;
  origin: ServerOrigin;
  where: string;
  status: ServerStatus;
  problem?: string;
  /** ISO 8601, UTC. */
  retryAt?: string;
  /** The operator's, else the server's instructions or title, else a summary of its tools. One line, at most 300 characters. */
  description: string;
  /** For people: the command line or URL, without values that may be secret. */
  target: string;
  transport: "stdio" | "http" | "sse" | "auto";
  era?: Era;
  version?: string;
  /** `serverInfo`. */
  info?: JsonObject;
  instructions?: string;
  expose?: Exposure;
  counts: { tools: number; prompts: number; resources: number; templates: number };
  /** What of its lists cannot be used, and why. */
  quarantined: readonly { kind: "tool" | "prompt" | "resource" | "template"; name: string; reason: string }[];
  /** Processes, while connected. */
  pids: readonly number[];
  /** How often it was connected again after it ended by itself. */
  restarts: number;
  /** ISO 8601, UTC: when its lists were last read from it. */
  listedAt?: string;
}

export interface LogLine {
  /** ISO 8601, UTC. */
  at: string;
  from: "stderr" | "stdout" | "gateway";
  text: string;
}
