import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { NodeStreamableHTTPServerTransport, toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";

/** The tools that both sides of the comparison serve. */
export const TOOLS = [
  {
    name: "echo",
    description: "Gives back its text.",
    inputSchema: { type: "object" as const, properties: { text: { type: "string" } }, required: ["text"] },
  },
  {
    name: "object",
    description: "Gives an object.",
    inputSchema: { type: "object" as const, additionalProperties: false },
    outputSchema: { type: "object" as const, properties: { a: { type: "number" } }, required: ["a"] },
  },
];

/** The SDK's own low-level server, both eras on one endpoint. */
export async function startSdkServer() {
  const handler = createMcpHandler(build, { legacy: "reject" });
  const modern = toNodeHandler(handler);
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();

  async function openTransport(): Promise<NodeStreamableHTTPServerTransport> {
    const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      onsessioninitialized: (id: string) => void sessions.set(id, transport),
    });
    await build().connect(transport);
    return transport;
  }

  const server = createServer((request, response) => {
    void (async () => {
      const body = await readJson(request);
      const isModern =
        isModernVersion(request.headers["mcp-protocol-version"]) ||
        text(body).includes("modelcontextprotocol/protocolVersion");
      if (isModern) return modern(request as Parameters<typeof modern>[0], response, body);
      const id = request.headers["mcp-session-id"];
      const transport = sessions.get(typeof id === "string" ? id : "") ?? (await openTransport());
      await transport.handleRequest(request, response, body);
    })();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", () => listening()));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async close() {
      await Promise.all([...sessions.values()].map((transport) => transport.close()));
      await handler.close();
      await new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      });
    },
  };
}

function build(): Server {
  const capabilities = { tools: { listChanged: true } };
  const server = new Server({ name: "sdk", version: "1.0.0" }, { capabilities });
  server.setRequestHandler("tools/list", () => ({ tools: TOOLS }));
  server.setRequestHandler("tools/call", ({ params }) => {
    if (params.name === "echo") return { content: [{ type: "text", text: String(params.arguments?.["text"]) }] };
    return { content: [{ type: "text", text: '{"a":1}' }], structuredContent: { a: 1 } };
  });
  return server;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
}

const isModernVersion = (version: string | string[] | undefined) => typeof version === "string" && version >= "2026";
const text = (body: unknown) => JSON.stringify(body) ?? "";
