/**
 * The floor: the SDK's own low-level server with one echo tool and nothing else.
 *
 *   node sdk-server.mjs           over stdio
 *   node sdk-server.mjs --http    over HTTP on a free port, both protocol eras; prints the URL to stderr
 *
 * Plain JavaScript, because stripping types would slow its start.
 */
import { Server } from "@modelcontextprotocol/server";

const ECHO = {
  name: "echo",
  description: "Answers with the text it was given.",
  inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
};

function makeServer() {
  const server = new Server({ name: "floor", version: "1.0.0" }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler("tools/list", () => ({ tools: [ECHO] }));
  server.setRequestHandler("tools/call", ({ params }) => ({
    content: [{ type: "text", text: params.arguments.text }],
  }));
  return server;
}

if (process.argv.includes("--http")) {
  const { listen } = await import("./sdk-http.mjs");
  process.stderr.write(`${await listen(makeServer)}\n`);
} else {
  const { serveStdio } = await import("@modelcontextprotocol/server/stdio");
  await serveStdio(makeServer, { legacy: "serve" });
}
