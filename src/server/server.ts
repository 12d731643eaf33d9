import type { IncomingHttpHeaders } from "node:http";
import type { Readable, Writable } from "node:stream";
import type { Calls } from "../calls/calls.ts";
import type { Caller, Principal } from "../core/caller.ts";
import type { Logger } from "../core/source.ts";
import type { ChannelStore } from "../store/store.ts";
import type { Surface } from "../surface/surface.ts";

/**
 * The protocol's door: both eras of MCP over Streamable HTTP and stdio. It turns requests into calls of the line and
 * views of the surface into lists; it decides nothing about what a caller may do.
 */
export interface McpServer {
  /**
   * @throws ADDRESS_IN_USE with `data.host` and `data.port`
   */
  listenHttp(): Promise<HttpListener>;

  /**
   * Serves one client over a pair of streams. Ends when the client closes its side: running requests are finished
   * first, for at most the grace time. Writes nothing but messages to `output`.
   */
  serveStdio(input: Readable, output: Writable): Promise<void>;

  /** Counts for health: channels held by this process, open streams of notices, requests being answered. */
  counters(): ServerCounters;

  /** Ends everything: no new requests, running ones for up to `graceMs`, then they end with reason `shutdown`. */
  close(graceMs?: number): Promise<void>;
}

export interface HttpListener {
  /** Of the MCP endpoint, e.g. `http://127.0.0.1:8788/mcp`. */
  url: string;
  port: number;
  close(graceMs?: number): Promise<void>;
}

export interface ServerCounters {
  channels: number;
  streams: number;
  requests: number;
}

export interface ServerParts {
  surface: Surface;
  calls: Calls;
  channels: ChannelStore;
  /** 32 random bytes that all processes on the store share; asked for when the first question is. */
  sharedKey: () => Promise<Uint8Array>;
  /**
   * Who sends a request.
   *
   * @throws UNAUTHENTICATED, FORBIDDEN
   */
  identify: (headers: IncomingHttpHeaders) => Principal | Promise<Principal>;
  /** Whether requests can be served; the reason otherwise. For `/readyz`. */
  isReady?: () => Promise<string | undefined>;
  log: Logger;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Of this program; default: its own. */
  version?: string;
  /** What this caller's client should tell its model about this server. */
  instructions?: (caller: Caller) => string | undefined;
  options?: Partial<ServerOptions>;
}

export interface ServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  path: string;
  /** Serves clients of 2024-11-05 too, over HTTP+SSE at `/sse` and `/messages`. */
  sse: boolean;
  maxBodyBytes: number;
  /**
   * Names that the Host header may have, without port. Empty: the loopback names when listening on loopback, else any
   * (then somebody in front of us has to check).
   */
  allowedHosts: readonly string[];
  /** Origins (`https://app.example.com`) that a browser may call from; loopback ones may on a loopback listener. */
  allowedOrigins: readonly string[];
  maxChannels: number;
  channelIdleMs: number;
  /** Items of a list's page. */
  pageSize: number;
  /** How long a client of 2026-07-28 may keep a list. */
  listTtlMs: number;
  /** Longest run; tools may have shorter limits of their own. */
  callTimeoutMs: number;
  /** How long a client of 2026-07-28 may take to answer a question. */
  askTtlMs: number;
  /** Older era, HTTP: how long a call goes on when its connection is lost and nobody can get the answer. */
  orphanMs: number;
  /** Streams of notices at once. */
  maxStreams: number;
  keepAliveMs: number;
  /** A stream whose client takes nothing for this long is closed; at least three times `keepAliveMs`. */
  stallMs: number;
  shutdownGraceMs: number;
  /** Messages go to the log at level debug, secrets taken out. */
  logsMessages: boolean;
}

export const SERVER_DEFAULTS: ServerOptions = {
  host: "127.0.0.1",
  port: 8788,
  path: "/mcp",
  sse: false,
  maxBodyBytes: 4 * 1024 * 1024,
  allowedHosts: [],
  allowedOrigins: [],
  maxChannels: 10_000,
  channelIdleMs: 3_600_000,
  pageSize: 500,
  listTtlMs: 0,
  callTimeoutMs: 300_000,
  askTtlMs: 900_000,
  orphanMs: 5_000,
  maxStreams: 10_000,
  keepAliveMs: 15_000,
  stallMs: 60_000,
  shutdownGraceMs: 10_000,
  logsMessages: false,
};
