import type { ServerResponse } from "node:http";

/** More than this waiting for a client that does not read: what may be dropped is. */
const MAX_WAITING_BYTES = 1_000_000;

const SSE_HEADERS = [
  "content-type",
  "text/event-stream",
  "cache-control",
  "no-cache, no-transform",
  "x-accel-buffering",
  "no",
  "x-content-type-options",
  "nosniff",
];

/** A response that has become a stream of server-sent events. */
export interface EventStream {
  /** @param event its name, `message` unless told. @returns false when nobody reads any more */
  send(text: string, event?: string): boolean;
  /** For what may get lost. @returns false when it was dropped, for the client lags behind or is gone */
  offer(text: string): boolean;
  end(): void;
  /** Closes the connection with all that waits on it. */
  drop(): void;
}

/**
 * All open event streams of a listener: one timer keeps them all alive through proxies.
 *
 * @param stallMs a client that takes nothing for this long is gone, or as good as that
 */
export function createStreams(keepAliveMs: number, stallMs: number) {
  // What keeps a stream alive is also what tells a silent stream from one that is stuck.
  const limitMs = Math.max(stallMs, 3 * keepAliveMs);
  const open = new Set<ServerResponse>();
  const timer = setInterval(() => {
    for (const response of open) if (!response.writableNeedDrain) response.write(": keep-alive\n\n");
  }, keepAliveMs).unref();

  return {
    open(response: ServerResponse, headers: readonly string[]): EventStream {
      // Of a connection that was lost meanwhile, no other end will be heard.
      if (!response.destroyed) {
        response.writeHead(200, [...SSE_HEADERS, ...headers]);
        response.flushHeaders();
        open.add(response);
        response.once("close", () => open.delete(response));
        response.setTimeout(limitMs, () => response.destroy());
      }
      const send = (text: string, event = "message") => {
        if (response.writableEnded || response.destroyed) return false;
        response.write(`event: ${event}\ndata: ${text}\n\n`);
        return true;
      };
      return {
        send,
        offer(text) {
          return response.writableLength <= MAX_WAITING_BYTES && send(text);
        },
        end() {
          open.delete(response);
          if (!response.writableEnded) response.end();
        },
        drop: () => void response.destroy(),
      };
    },

    count: () => open.size,

    close(): void {
      clearInterval(timer);
    },
  };
}

export type Streams = ReturnType<typeof createStreams>;
