import type { Deadline } from "../core/deadline.ts";
import type { JsonObject } from "../core/json.ts";
import type { ClientCan, LogLevel } from "../core/source.ts";

/**
 * One connection to one other MCP server, whichever transport and era. Results come back as they are: nothing of them is
 * checked or dropped here. What such a server sends is hostile: it ends its own request at most, never ours or others'.
 */
export interface Upstream {
  readonly about: UpstreamAbout;

  /**
   * Sends a request and waits for its result. Any number may be under way at once.
   *
   * The deadline's end cancels it at the server too (`notifications/cancelled`, or by closing its stream). An answer
   * that comes later is passed over and never taken for that of another request.
   *
   * `resources/subscribe` and `resources/unsubscribe` work in both eras: in 2026-07-28, which has no such requests, they
   * change what the connection listens to, and are answered at once.
   *
   * @param params without `_meta` of the protocol's own (progress token, version, capabilities): that is added here
   * @returns the result, an object; `rawTextOf` has its text where it came whole. Of 2026-07-28 it may be an
   *   `input_required`, which is for the caller to deal with; `resultType` is still in it.
   * @throws RemoteError for an error that the server answered with
   * @throws UPSTREAM_UNAVAILABLE (went away, or cannot be reached any more), UPSTREAM_INVALID, UPSTREAM_LOGIN, TOO_LARGE; the
   *   deadline's own error
   */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject>;

  /** Sends a notification; one that cannot be sent is dropped. */
  notify(method: string, params: JsonObject): void;

  /** Resolves once, when it can be used no more; requests under way have failed by then. Never rejects. */
  readonly ended: Promise<UpstreamEnd>;

  /** Lets go of everything: a process and all that it started, sockets, streams. Safe to call twice. */
  close(): Promise<void>;
}

export interface UpstreamAbout {
  era: Era;
  /** As negotiated, e.g. `2025-11-25`. */
  version: string;
  transport: "stdio" | "http" | "sse";
  /** `serverInfo` as it came; `{}` when there is none. */
  info: JsonObject;
  capabilities: JsonObject;
  instructions?: string;
  /** Of a process. */
  pid?: number;
}

/** `legacy`: revisions up to 2025-11-25, with `initialize`. `modern`: 2026-07-28, without state between requests. */
export type Era = "legacy" | "modern";

export interface RequestOptions {
  deadline: Deadline;
  /** Who made the request; absent for our own (lists). Gets what belongs to it while it is under way. */
  relay?: Relay;
  /** `Mcp-Param-*` headers that the tool's schema asks for; HTTP, 2026-07-28. Names in lower case, values as they are. */
  headers?: Readonly<Record<string, string>>;
}

/** The client behind a request. */
export interface Relay {
  /** What may be asked of it: sent along in 2026-07-28; in the older era it decides which questions reach `ask`. */
  readonly can: ClientCan;
  readonly logLevel: LogLevel | undefined;
  /** `traceparent`, `tracestate`, `baggage` and unknown keys of the request's `_meta` that go on. */
  readonly meta?: JsonObject;
  /** Set when the client wants progress. */
  progress?(progress: number, total?: number, message?: string): void;
  log(level: LogLevel, data: JsonObject[string], logger?: string): void;
  /**
   * A question of the server (older era: `elicitation/create`, `sampling/createMessage`, `roots/list`).
   *
   * @throws DynamicMcpError: the server gets an error
   */
  ask(method: string, params: JsonObject): Promise<JsonObject>;
}

/** Where a server is and what to say to it. Every string is final: nothing is replaced in it any more. */
export type UpstreamTarget =
  | {
      transport: "stdio";
      command: string;
      args: readonly string[];
      /** All that the process sees. */
      env: Readonly<Record<string, string>>;
      cwd?: string;
    }
  | {
      /** `auto`: Streamable HTTP, and HTTP+SSE of 2024-11-05 where the server does not know it. */
      transport: "http" | "sse" | "auto";
      url: string;
      headers: Readonly<Record<string, string>>;
      tokens?: TokenSource;
    };

/** Where an access token for a server comes from; asked before each request. */
export interface TokenSource {
  /** @returns undefined to send none */
  token(): Promise<string | undefined>;
  /** The server has refused this token. @returns whether another try makes sense */
  refused(token: string | undefined, challenge: string | undefined): Promise<boolean>;
}

/** What was found out about a server and spares the next connection the asking. */
export interface Verdict {
  era: Era;
  transport: "stdio" | "http" | "sse";
}

export interface ConnectOptions {
  /** Of the server, for messages. */
  name: string;
  /** Ends the attempt; what was started for it is gone then. */
  deadline: Deadline;
  /** From the last time; a wrong one is noticed and costs one more try. */
  known?: Verdict;
  /**
   * What the server is told that its client can be asked, in the protocol's words: in `initialize` of the older era, in
   * 2026-07-28 with each request that no client is behind.
   */
  capabilities: JsonObject;
  client: { name: string; version: string };
  /** Largest message that is read, in bytes. A longer one fails its request with TOO_LARGE and nothing else. */
  maxMessageBytes: number;
  /** Notifications that belong to no request: `notifications/tools/list_changed`, `.../resources/updated`, messages ... */
  onNotification(method: string, params: JsonObject): void;
  /**
   * A question that could not be told to belong to one request (several are under way, or none).
   *
   * @throws DynamicMcpError: the server gets an error
   */
  onQuestion(method: string, params: JsonObject): Promise<JsonObject>;
  /** A line that the server wrote to stderr, or to stdout where a message should be; without its line end, shortened. */
  onLine(stream: "stderr" | "stdout", text: string): void;
}

export interface UpstreamEnd {
  reason: "closed" | "exited" | "lost" | "invalid";
  /** For people: what happened, with the exit code and the last words on stderr where there are any. */
  message: string;
}

/**
 * Opens a connection and negotiates: era, version, transport.
 *
 * @throws UPSTREAM_UNAVAILABLE (did not start, ended, refused, timed out: the message says which, with the last lines of
 *   stderr), UPSTREAM_INVALID, UPSTREAM_LOGIN; the deadline's own error when it ended for another reason than time
 */
export type Connect = (target: UpstreamTarget, options: ConnectOptions) => Promise<Upstream>;
