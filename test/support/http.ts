import { request, type IncomingHttpHeaders } from "node:http";
import type { JsonObject } from "../../src/core/json.ts";

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body as JSON; of an event stream the last event; `{}` when there is neither. */
  body: JsonObject;
  /** All events of a stream. */
  events: JsonObject[];
}

export interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string | object;
}

/** One HTTP exchange with nothing in between: what is not sent here is not sent at all. */
export function send(url: string, { method = "POST", headers = {}, body }: Sent): Promise<Answered> {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const defaults: Record<string, string> =
    method === "POST" ? { "content-type": "application/json", accept: BOTH } : {};
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { ...defaults, ...headers }, agent: false }, (response) => {
      let received = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (received += chunk));
      response.on("error", reject);
      response.on("end", () => {
        const events = readEvents(received);
        const body = response.headers["content-type"] === "text/event-stream" ? events.at(-1) : parse(received);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: received,
          body: body ?? {},
          events,
        });
      });
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

/** A stream that stays open: its events as they come. */
export function openStream(url: string, { method = "GET", headers = {}, body }: Sent) {
  const events: JsonObject[] = [];
  let status = 0;
  let isClosed = false;
  let buffered = "";
  const sent = request(url, { method, headers, agent: false }, (response) => {
    status = response.statusCode ?? 0;
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      const parts = (buffered + chunk).split("\n\n");
      buffered = parts.pop() ?? "";
      events.push(...parts.flatMap(readEvents));
    });
    response.on("error", () => {});
    response.on("close", () => (isClosed = true));
  });
  sent.on("error", () => (isClosed = true));
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return {
    events,
    status: () => status,
    isClosed: () => isClosed,
    close: () => void sent.destroy(),
  };
}

export const BOTH = "application/json, text/event-stream";

function readEvents(text: string): JsonObject[] {
  return text.split("\n\n").flatMap((event) => {
    const data = event.split("\n").find((line) => line.startsWith("data: "));
    return data === undefined ? [] : [JSON.parse(data.slice(6)) as JsonObject];
  });
}

function parse(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return {};
  }
}

let ids = 0;

/** A client of the older era that has initialized. */
export async function openSession(
  url: string,
  options: { version?: string; capabilities?: JsonObject; headers?: Record<string, string> } = {},
) {
  const { version = "2025-11-25", capabilities = {}, headers: more = {} } = options;
  const params = { protocolVersion: version, capabilities, clientInfo: { name: "test", version: "1" } };
  const opened = await send(url, { headers: more, body: { jsonrpc: "2.0", id: 0, method: "initialize", params } });
  const id = String(opened.headers["mcp-session-id"]);
  const headers = { ...more, "mcp-session-id": id, "mcp-protocol-version": version };
  return {
    id,
    opened,
    headers,
    post: (body: string | object, extra: Record<string, string> = {}) =>
      send(url, { headers: { ...headers, ...extra }, body }),
    ask: (method: string, params: object = {}, id: string | number = ++ids) =>
      send(url, { headers, body: { jsonrpc: "2.0", id, method, params } }),
    stream: () => openStream(url, { headers: { ...headers, accept: "text/event-stream" } }),
    end: () => send(url, { method: "DELETE", headers }),
  };
}

/** A request of 2026-07-28 as a client has to send it; `headers` and `meta` overwrite what it would send. */
export function modernRequest(
  method: string,
  params: JsonObject = {},
  {
    headers = {},
    meta = {},
    capabilities = {},
    id = ++ids,
  }: { headers?: Record<string, string>; meta?: JsonObject; capabilities?: JsonObject; id?: string | number } = {},
): { headers: Record<string, string>; body: JsonObject } {
  const named = params["name"] ?? params["uri"];
  return {
    headers: {
      "content-type": "application/json",
      accept: BOTH,
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof named === "string" ? { "mcp-name": named } : {}),
      ...headers,
    },
    body: {
      jsonrpc: "2.0",
      id,
      method,
      params: {
        ...params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": capabilities,
          ...meta,
        },
      },
    },
  };
}
