/**
 * The server behind every gateway of the bench, hand-written and as cheap as one can be, so that what is measured is the
 * gateway. Speaks the older era.
 *
 *   node upstream.mjs [--http] [--tools N] [--hang-while FILE]
 *
 * `--tools`: so many further tools, of the size that tools have; `--hang-while`: answers nothing while there is that file.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { bodyOf, option, serveEither } from "./lines.mjs";

const closed = (properties, ...required) => ({ type: "object", properties, required, additionalProperties: false });
const TOOLS = [
  { name: "echo", description: "Gives the text back.", inputSchema: closed({ text: { type: "string" } }, "text") },
  { name: "sleep", description: "Answers after so many ms.", inputSchema: closed({ ms: { type: "number" } }, "ms") },
  ...Array.from({ length: Number(option("tools") ?? 0) }, (_, n) => furtherTool(n)),
];
const hangWhile = option("hang-while");

function furtherTool(n) {
  return {
    name: `orders_report_${n}`,
    title: `Report on orders, number ${n}`,
    description: `Makes the report number ${n} on orders of one customer: how many, what they were worth, and which are late.`,
    inputSchema: closed(
      {
        customer: { type: "string", description: "Number of the customer, as in the address book", maxLength: 40 },
        from: { type: "string", format: "date", description: "First day of the report" },
        to: { type: "string", format: "date", description: "Last day of the report" },
        states: { type: "array", items: { enum: ["open", "packed", "sent", "late", "lost"] }, maxItems: 5 },
        limit: { type: "integer", minimum: 1, maximum: 500, default: 50 },
      },
      "customer",
    ),
    annotations: { readOnlyHint: true, openWorldHint: false },
  };
}

const words = (text) => ({ content: [{ type: "text", text }] });

async function resultOf({ method, params = {} }) {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: "2025-11-25",
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: "upstream", version: "1.0.0" },
      };
    case "ping":
      return {};
    case "tools/list":
      return { tools: TOOLS };
    case "tools/call":
      if (params.name === "echo") return words(params.arguments.text);
      if (params.name === "sleep") await sleep(params.arguments.ms);
      return words("done");
  }
}

/** @returns JSON text, or undefined for what takes no answer */
async function answer(message) {
  if (message.id === undefined) return undefined;
  if (hangWhile && existsSync(hangWhile)) await new Promise(() => {});
  const result = await resultOf(message);
  const end = result ? { result } : { error: { code: -32601, message: "no such method" } };
  return JSON.stringify({ jsonrpc: "2.0", id: message.id, ...end });
}

async function serve(request, response) {
  if (request.method !== "POST") return response.writeHead(405).end();
  const message = JSON.parse(await bodyOf(request));
  const text = await answer(message);
  if (text === undefined) return response.writeHead(202).end();
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  if (message.method === "initialize") headers["mcp-session-id"] = randomUUID();
  response.writeHead(200, headers).end(text);
}

serveEither(answer, serve);
