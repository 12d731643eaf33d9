import type { Caller } from "./caller.ts";
import type { Deadline } from "./deadline.ts";
import type { Exposure } from "./exposure.ts";
import type { AnyResult, ItemKind, ItemOf, ToolItem, ToolResult } from "./item.ts";
import type { Json, JsonObject } from "./json.ts";

/**
 * Where tools, prompts and resources come from: authored code, packs, our own operations, other servers.
 * `surface` merges what the Sources list, `calls` runs what they hold; neither knows which Source it is.
 */
export interface Source {
  /** Stable, short: `authored`, `operations`, `pack:<name>`. */
  readonly name: string;

  /**
   * What this caller may see now. Answers from memory: never waits for a disk or a network.
   * The same array (identity) is returned until something changed, so that views can be cached by it.
   */
  items<K extends ItemKind>(kind: K, caller: Caller): readonly Listing<K>[];

  /**
   * Checks a tool's arguments where the Source knows better than its JSON Schema (zod of our own operations, arguments
   * of older clients that must be unwrapped). Absent: the line checks against `inputSchema` with Ajv.
   *
   * @returns the arguments to run with
   * @throws INVALID_ARGUMENTS with a message that a model can act on
   */
  check?(item: ToolItem, args: JsonObject): JsonObject | Promise<JsonObject>;

  /** Runs one item. Its arguments have passed the check. */
  run(target: Target, ctx: RunContext): Promise<AnyResult>;

  /** "Look again": something that `items` returns has changed. Returns the end of the subscription. */
  onChange(listener: (kind: ItemKind) => void): () => void;

  /** Tells the clients that subscribed to a resource. Absent when nothing ever changes. */
  onResourceUpdated?(listener: (uri: string) => void): () => void;

  /**
   * Somebody wants to be told when this resource changes. Asked for as often as there are who want it; what it takes to
   * notice (a subscription at another server) is kept while one is left.
   *
   * @param id of the item, as `run` gets it
   * @returns the end of the interest; safe to call twice
   */
  watch?(uri: string, id: string, caller: Caller): () => void;

  /**
   * The item that can read a URI which no list shows: one that this Source has handed out in a result.
   *
   * @returns its id for a target of kind `resource`
   */
  claims?(uri: string, caller: Caller): string | undefined;

  /** What one channel is told though none of its requests is under way. */
  onMessage?(listener: (message: ChannelMessage) => void): () => void;

  /** The client of the older era behind this caller says that it has other roots now. */
  rootsChanged?(caller: Caller): void;
}

/** Log lines that belong to no call (deprecated in the protocol, still relayed), and that a dialog elsewhere is done. */
export type ChannelMessage = LogMessage | ElicitationDone;

/** What a person was sent to a URL for is done (`notifications/elicitation/complete`). */
export interface ElicitationDone {
  elicitationId: string;
  /** The only channel that may hear of it: the one that was asked. */
  channel: string;
}

/** A log line for clients that were not told it as part of a call. */
export interface LogMessage {
  level: LogLevel;
  logger?: string;
  data: Json;
  /** The only channel that may see it. */
  channel: string;
}

/**
 * One line of a list: what is needed to name, sort and filter it, and the whole on demand.
 * Ten thousand of these must fit in a few megabytes, so `load` parses when asked and keeps nothing.
 */
export interface Listing<K extends ItemKind = ItemKind> {
  readonly kind: K;
  readonly id: string;
  /** The author's spelling; a resource's URI, a template's URI template. */
  readonly name: string;
  /** Toolset of an operation; undefined for everything else. */
  readonly toolset?: string;
  /** The server that a tool comes from, for lists by group; undefined for what is made or built here. */
  readonly group?: string;
  /** The name that it has within its group. */
  readonly nameInGroup?: string;
  /** How its server wants it listed; undefined: as everything is. */
  readonly expose?: Exposure;
  /** Characters of its line in a list, about; for the budget of `auto`. Default: some. */
  readonly chars?: number;
  /**
   * Its line in a list as JSON text, for Sources that have it without parsing. It says what {@link load} gives and
   * nothing twice, under the name given (a resource or template under its own), and both eras show it: a tool with an
   * output schema that is no object has no such text.
   *
   * @param name as listed
   */
  text?(name: string): string | undefined;
  load(): ItemOf<K>;
}

/** What is to be run, in its Source's own terms. */
export type Target =
  | { kind: "tool"; item: ToolItem; args: JsonObject }
  | { kind: "prompt"; id: string; args: Record<string, string> }
  | { kind: "resource"; id: string; uri: string }
  | { kind: "template"; id: string; uri: string; variables: Record<string, string> }
  | {
      kind: "completion";
      id: string;
      argument: { name: string; value: string };
      context: Record<string, string>;
    };

/** What a run may do. It never gets the server, the store or the line itself. */
export interface RunContext {
  readonly caller: Caller;
  readonly deadline: Deadline;
  readonly io: CallIo;
  readonly log: Logger;
  /** The id under which the journal keeps this call. */
  readonly callId: string;
  /** 0 for a call from a client, one more for each call within. */
  readonly depth: number;
  /**
   * Walks the line again, as a child: same caller, parent's slot, parent's end.
   *
   * @param how `isHandedOn`: it is all that this run does, so that its progress is this run's
   */
  callTool(name: string, args: JsonObject, how?: { isHandedOn: boolean }): Promise<ToolResult>;
}

/** Reaches the client of this call. Inner calls delegate to their parent's. */
export interface CallIo {
  /** What the client declared for this very request. */
  readonly can: ClientCan;

  /**
   * Asks the client one or several things at once and waits for the answers.
   *
   * Older era: a request on the stream of the call. 2026-07-28: the call ends `paused`, the client comes back with the
   * answers, the handler runs again from its start and gets them here. So a handler must do nothing that counts before
   * its last `ask`, and must use the same keys each time.
   *
   * With a `state` the run does not start again from nothing: it gets the state back as {@link resumed}, together with
   * the answers, and asks no more for what was asked with it.
   *
   * @param asks may be empty when a state is given: then the client just comes back
   * @param state signed, not secret; at most 64,000 characters
   * @throws CAPABILITY_MISSING when the client did not declare what is asked for
   */
  ask(asks: Record<string, Ask>, state?: string): Promise<Record<string, JsonObject>>;

  /** Set when this run goes on where an earlier one has paused with a state; the answers are those that came with it. */
  readonly resumed?: Resumed | undefined;

  /** Log lines below this are dropped; none are wanted when undefined. */
  readonly logLevel?: LogLevel | undefined;

  /** What the client sent along for whoever runs this: where it belongs in a trace, and keys that no protocol defines. */
  readonly meta?: JsonObject | undefined;

  /** Whether anybody hears of progress: nobody has to count it otherwise. */
  readonly wantsProgress?: boolean | undefined;

  /** Sent only when the client asked for progress; `progress` must grow. */
  progress(progress: number, total?: number, message?: string): void;

  /** A log line for the client (deprecated in the protocol, still relayed). */
  log(level: LogLevel, data: Json, logger?: string): void;
}

export interface Resumed {
  state: string;
  answers: Record<string, JsonObject>;
}

export interface ClientCan {
  elicitForm: boolean;
  elicitUrl: boolean;
  sampling: boolean;
  roots: boolean;
  /**
   * What the client declared, in the protocol's words, as far as we relay it: `elicitation`, `sampling`, `roots`, and of
   * `extensions` those that need nothing from us (MCP Apps; tasks do). Absent: nothing of it.
   */
  declared?: JsonObject;
}

export type Ask =
  | { method: "elicitation/create"; params: JsonObject }
  | { method: "sampling/createMessage"; params: JsonObject }
  | { method: "roots/list"; params?: JsonObject };

/** RFC 5424 severities, as MCP's logging uses them. */
export const LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Our own log. Structured facts first, a plain sentence after. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * The only way out of a sandbox: an engine gets this, made from a RunContext, and so never knows the line.
 *
 * | method        | payload                                                              | answer |
 * | ------------- | -------------------------------------------------------------------- | ------ |
 * | `tools.call`  | `{ name, args }`                                                     | the tool's structured content, else its text |
 * | `fetch`       | `{ url, method?, headers?: [name, value][], body?: base64, redirect? }` | `{ status, statusText, url, redirected, headers: [name, value][], body: base64 }` |
 * | `secrets.get` | `{ name }`                                                           | its value, a text |
 *
 * @param step   number of this host call within the job, from 0, the same in every replay
 */
export interface HostCalls {
  call(method: string, payload: Json, step: number): Promise<Json>;
}
