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
  /** @returns false when nobody reads any more */
  send(text: string): boolean;
  /** For what may get lost; dropped when the client lags behind. */
  offer(text: string): void;
  end(): void;
}

/** All open event streams of a listener: one timer keeps them all alive through proxies. */
export function createStreams(keepAliveMs: number) {
  const open = new Set<ServerResponse>();
  const timer = setInterval(() => {
    for (const response of open) if (!response.writableNeedDrain) response.write(": keep-alive\n\n");
  }, keepAliveMs).unref();

  return {
    open(response: ServerResponse, headers: readonly string[]): EventStream {
      response.writeHead(200, [...SSE_HEADERS, ...headers]);
      response.flushHeaders();
      open.add(response);
      response.once("close", () => open.delete(response));
      const send = (text: string) => {
        if (response.writableEnded || response.destroyed) return false;
        response.write(`event: message\ndata: ${text}\n\n`);
        return true;
      };
      return {
        send,
        offer(text) {
          if (response.writableLength <= MAX_WAITING_BYTES) send(text);
        },
        end() {
          open.delete(response);
          if (!response.writableEnded) response.end();
        },
      };
    },

    close(): void {
      clearInterval(timer);
    },
  };
}

export type Streams = ReturnType<typeof createStreams>;
