/** The SDK's Streamable HTTP as its documentation joins it: a transport per session, a handler for the stateless era. */
import { NodeStreamableHTTPServerTransport, toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const STATELESS_VERSION = "io.modelcontextprotocol/protocolVersion";

/** @returns URL of the endpoint, once it listens on 127.0.0.1 */
export async function listen(makeServer) {
  const sessions = new Map();
  const stateless = toNodeHandler(createMcpHandler(makeServer, { legacy: "reject" }));

  async function openSession() {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await makeServer().connect(transport);
    return transport;
  }

  async function answer(request, response) {
    const id = request.headers["mcp-session-id"];
    if (request.method !== "POST") {
      const transport = sessions.get(id);
      return transport ? transport.handleRequest(request, response) : response.writeHead(404).end();
    }
    const body = JSON.parse(await text(request));
    if (body.params?._meta?.[STATELESS_VERSION]) return stateless(request, response, body);
    const transport = id ? sessions.get(id) : await openSession();
    return transport ? transport.handleRequest(request, response, body) : response.writeHead(404).end();
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      process.stderr.write(`${error.stack}\n`);
      response.destroy();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}/mcp`;
}
