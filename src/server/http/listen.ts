import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Principal } from "../../core/caller.ts";
import { DynamicMcpError, hasCode } from "../../core/errors.ts";
import type { Logger } from "../../core/source.ts";
import { errorReply } from "../json-rpc.ts";
import type { Notices } from "../notices.ts";
import { namesModernEra, ProtocolError, RPC } from "../protocol.ts";
import type { HttpListener, ServerOptions, ServerParts } from "../server.ts";
import { toWire } from "../wire-errors.ts";
import { createBodies } from "./body.ts";
import { createGate, readAccept } from "./checks.ts";
import { createDrains } from "./drains.ts";
import { exposed, readExposure } from "./exposure.ts";
import { createPostHandler, Refused } from "./post.ts";
import type { PostParts, Turn } from "./turn.ts";
import { noticeOutlet, sendEmpty, sendReply, sendText, writeText } from "./post-reply.ts";
import { headerOf, sessionOf } from "./session.ts";
import { createSse, MESSAGES_PATH, SSE_PATH, type Sse } from "./sse.ts";
import { createStreams } from "./streams.ts";

export interface ListenParts extends Omit<PostParts, "streams" | "orphanMs"> {
  notices: Notices;
  identify: ServerParts["identify"];
  isReady: ServerParts["isReady"];
  options: ServerOptions;
  log: Logger;
}

/** A request id that a client or proxy sends along is kept when it is harmless. */
const REQUEST_ID = /^[\w.-]{1,64}$/;
/** For the answers of runs that were ended. */
const LAST_WORDS_MS = 1_000;
const NONE: Turn["flights"] = [];
const ALLOWED = ["allow", "GET, POST, DELETE"];

/**
 * The HTTP front: plain `node:http`, no framework, one pass from the socket to the line and back.
 *
 * @throws ADDRESS_IN_USE
 */
export async function listenHttp(parts: ListenParts): Promise<HttpListener> {
  const { options, log, channels, notices } = parts;
  const gate = createGate(options.host, options.allowedHosts, options.allowedOrigins);
  const streams = createStreams(options.keepAliveMs, options.stallMs);
  const post = createPostHandler({ ...parts, streams, orphanMs: options.orphanMs });
  const { maxStreams } = options;
  const sse = options.sse ? createSse({ ...parts, streams, maxStreams }) : undefined;
  const bodies = createBodies(options.maxBodyBytes);
  const drains = createDrains();
  const prefix = Math.random().toString(36).slice(2, 8);
  /** Responses that have not been sent yet. */
  let open = 0;
  let counted = 0;
  let isClosing = false;
  let onIdle: (() => void) | undefined;

  function route(turn: Turn): Promise<void> {
    const { url = "/" } = turn.request;
    const at = url.indexOf("?");
    const path = at < 0 ? url : url.slice(0, at);
    const query = at < 0 ? "" : url.slice(at + 1);
    if (path === options.path) return endpoint(turn, query);
    return sse && (path === SSE_PATH || path === MESSAGES_PATH) ? older(sse, turn, path, query) : health(path, turn);
  }

  async function older(front: Sse, turn: Turn, path: string, query: string): Promise<void> {
    const { request, response, headers } = turn;
    const method = path === SSE_PATH ? "GET" : "POST";
    if (request.method !== method) return sendEmpty(response, 405, [...headers, "allow", method]);
    const principal = await admit(request);
    if (path === SSE_PATH) return front.open(turn, principal, readExposure(query));
    assertBody(request);
    const bytes = await bodies.read(request);
    const post = { turn, body: parse(bytes), bodyBytes: bytes.length, principal, exposure: undefined };
    front.take(post, new URLSearchParams(query).get("sessionId") ?? "");
  }

  async function endpoint(turn: Turn, query: string): Promise<void> {
    const { request, response, headers } = turn;
    const { method } = request;
    const admitted = admit(request);
    const principal = admitted instanceof Promise ? await admitted : admitted;
    const exposure = query === "" ? undefined : readExposure(query);
    if (method === "POST") {
      assertBody(request);
      const { json, sse: takesStream } = readAccept(request.headers.accept);
      if (!json && !takesStream) {
        throw new ProtocolError(RPC.invalidRequest, "Accept must take application/json and text/event-stream", {
          status: 406,
        });
      }
      const bytes = await bodies.read(request);
      return post({ turn, body: parse(bytes), bodyBytes: bytes.length, principal, exposure });
    }
    const version = headerOf(request, "mcp-protocol-version");
    const isModern = version !== undefined && namesModernEra(version);
    if (isModern || (method !== "GET" && method !== "DELETE")) return sendEmpty(response, 405, [...headers, ...(isModern ? ["allow", "POST"] : ALLOWED)]); // prettier-ignore
    const channel = await sessionOf(request, principal, channels);
    if (method === "DELETE") {
      await channels.end(channel);
      return sendEmpty(response, 200, headers);
    }
    if (!readAccept(request.headers.accept).sse) {
      throw new ProtocolError(RPC.invalidRequest, "Accept must take text/event-stream", { status: 406 });
    }
    if (response.destroyed) return;
    notices.assertRoom();
    const stream = streams.open(response, headers);
    const outlet = noticeOutlet(stream);
    const following = notices.follow(exposed(channel.caller, exposure), channel, outlet);
    response.once("close", channel.openStream(outlet, following));
  }

  /** Who it is that may come in. */
  function admit({ headers }: IncomingMessage): Principal | Promise<Principal> {
    const refusal = gate.refusal(headers.host, headers.origin);
    if (refusal) throw new ProtocolError(RPC.invalidRequest, refusal, { status: 403 });
    if (isClosing) throw stopping();
    return parts.identify(headers);
  }

  async function health(path: string, { request, response, headers }: Turn): Promise<void> {
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (path === "/livez" && isRead) return sendText(response, 200, '{"status":"ok"}', headers);
    if (path === "/readyz" && isRead) {
      const problem = isClosing ? "stopping" : await parts.isReady?.();
      return sendText(response, problem ? 503 : 200, JSON.stringify(problem ? { status: "not ready", problem } : { status: "ok" }), headers); // prettier-ignore
    }
    return sendText(response, 404, '{"error":"there is nothing at this path"}', headers);
  }

  function fail(error: unknown, { request, response, headers }: Turn): void {
    const [cause, id, era] =
      error instanceof Refused ? [error.cause, error.id, error.era] : [error, null, "legacy" as const];
    if (hasCode(cause, "CANCELLED") && request.destroyed) return void response.destroy();
    const { error: shown, status } = toWire(cause, era, log);
    const more: string[] = [];
    if (status === 401) more.push("www-authenticate", 'Bearer realm="dynamic-mcp"');
    if (status === 503) more.push("retry-after", "5");
    // The rest of a body that nobody wants to read cannot be told from the next request.
    const isUnread = !request.complete && request.method === "POST";
    if (isUnread || isClosing) more.push("connection", "close");
    if (response.headersSent) return void response.destroy();
    const reply = errorReply(id, shown, hasCode(cause, "TOO_LARGE") ? 413 : status);
    if (!isUnread) return sendReply(response, reply, [...headers, ...more]);
    writeText(response, reply.status, reply.head, [...headers, ...more]);
    drains.end(request, response);
  }

  const server = createServer({ keepAlive: true, noDelay: true }, (request, response) => {
    const given = request.headers["x-request-id"];
    const requestId =
      typeof given === "string" && REQUEST_ID.test(given) ? given : `${prefix}-${(++counted).toString(36)}`;
    const turn: Turn = {
      request,
      response,
      requestId,
      headers: ["x-request-id", requestId],
      flights: NONE,
      orphanMs: 0,
    };
    open++;
    response.once("close", () => {
      if (!response.writableFinished) abandon(turn);
      if (--open === 0) onIdle?.();
    });
    route(turn).catch((error: unknown) => fail(error, turn));
  });
  server.keepAliveTimeout = 60_000;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  server.on("error", (error) => log.error({ err: error }, "the HTTP listener failed"));

  /** Until every request has been answered, at most `waitMs`. */
  async function idle(waitMs: number): Promise<void> {
    if (open === 0) return;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, waitMs);
      onIdle = () => {
        clearTimeout(timer);
        done();
      };
    });
  }

  async function close(graceMs = options.shutdownGraceMs): Promise<void> {
    if (isClosing) return;
    isClosing = true;
    const closed = new Promise<void>((done) => server.close(() => done()));
    server.closeIdleConnections();
    // A body that has not come whole is no request yet: nobody waits for it.
    drains.hurry();
    bodies.refuseAll(stopping());
    // Streams of notices end at once, with their last message; calls get the grace time.
    notices.close();
    for (const channel of channels.all()) channel.stream?.finish();
    sse?.close();
    await idle(graceMs);
    parts.answer.endAll();
    await idle(LAST_WORDS_MS);
    streams.close();
    server.closeAllConnections();
    await closed;
  }

  const shown = options.host.includes(":") ? `[${options.host.replace(/^\[|\]$/g, "")}]` : options.host;
  return { url: `http://${shown}:${port}${options.path}`, port, close };
}

function stopping(): DynamicMcpError {
  return new DynamicMcpError("SHUTTING_DOWN", "the server is stopping; connect again in a moment");
}

/** The connection was lost before the answer had gone out. */
function abandon({ flights, orphanMs }: Turn): void {
  if (flights.length === 0) return;
  const end = () => flights.forEach((flight) => flight.end("client"));
  if (orphanMs === 0) end();
  else setTimeout(end, orphanMs).unref();
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "EADDRINUSE") {
        reject(new DynamicMcpError("ADDRESS_IN_USE", `port ${port} of ${host} is taken; choose another`, { data: { host, port }, cause })); // prettier-ignore
      } else if (cause.code === "EACCES" || cause.code === "EADDRNOTAVAIL" || cause.code === "ENOTFOUND") {
        reject(new DynamicMcpError("CONFIG_INVALID", `cannot listen on ${host}:${port} (${cause.code})`, { data: { host, port }, cause })); // prettier-ignore
      } else reject(cause);
    });
    server.listen(port, host.replace(/^\[|\]$/g, ""), () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

/** @throws ProtocolError (415) */
function assertBody({ headers }: IncomingMessage): void {
  const refused = (message: string) => new ProtocolError(RPC.invalidRequest, message, { status: 415 });
  if (!isJson(headers["content-type"])) throw refused("the Content-Type must be application/json");
  if (!isPlain(headers["content-encoding"])) throw refused("a body must come as it is, without Content-Encoding");
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new ProtocolError(RPC.parseError, "the body is not valid JSON", { status: 400 });
  }
}

function isJson(contentType: string | undefined): boolean {
  return contentType === "application/json" || /^application\/json\s*(;|$)/i.test(contentType ?? "");
}

function isPlain(contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined || contentEncoding.trim().toLowerCase() === "identity";
}
