import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

const MODERN = "2026-07-28";

/**
 * Stands before a server of both eras and refuses the requests of one, in the words of a server that never heard of it.
 */
export async function openOneEra(
  target: string,
  era: "legacy" | "modern",
): Promise<{ url: string; close(): Promise<void> }> {
  const { hostname, port, pathname } = new URL(target);
  const server: Server = createServer((from, to) => {
    if (isModern(from) !== (era === "modern")) {
      from.resume();
      to.writeHead(400, { "content-type": "application/json" });
      to.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32_000, message: "Bad Request" } }));
      return;
    }
    const headers = { ...from.headers, host: `${hostname}:${port}` };
    const onward = request({ hostname, port, path: pathname, method: from.method, headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      to.flushHeaders();
      answer.pipe(to);
    });
    onward.on("error", () => to.destroy());
    to.on("close", () => onward.destroy());
    from.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The header says it: both eras send one after the first request, and the first of the older has none. */
function isModern({ headers }: IncomingMessage): boolean {
  return headers["mcp-protocol-version"] === MODERN;
}
