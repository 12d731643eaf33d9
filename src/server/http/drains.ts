import type { IncomingMessage, ServerResponse } from "node:http";

/** What is read and dropped of one body, at most. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_MS = 3_000;
/** While the server stops: long enough for an answer to arrive. */
const LAST_MS = 200;

/**
 * Ends responses to requests whose body nobody wants to read.
 *
 * Closing a connection on which bytes still come makes the system reset it, and the client that is still writing never
 * sees the answer. So the answer goes out first, and the rest is read and dropped, within bounds, before the end.
 *
 * @see RFC 9112, 9.6
 */
export function createDrains() {
  const open = new Set<(afterMs: number) => void>();
  let limitMs = MAX_MS;

  return {
    /** @param response its head and body are written; only its end is missing */
    end(request: IncomingMessage, response: ServerResponse): void {
      let bytes = 0;
      const finish = () => {
        clearTimeout(timer);
        open.delete(hurry);
        if (!response.writableEnded) response.end();
      };
      const hurry = (afterMs: number) => {
        clearTimeout(timer);
        timer = setTimeout(finish, afterMs);
      };
      let timer = setTimeout(finish, limitMs);
      open.add(hurry);
      response.once("close", finish);
      request.once("end", finish);
      request.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) finish();
      });
      request.resume();
    },

    /** The server stops: those under way, and all after them, get a moment only. */
    hurry(): void {
      limitMs = LAST_MS;
      for (const hurry of open) hurry(LAST_MS);
    },
  };
}
