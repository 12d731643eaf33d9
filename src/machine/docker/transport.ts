import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DynamicMcpError } from "../../core/errors.ts";
import { daemonUnavailable, DockerError, unreachable } from "./docker-error.ts";
import type { Endpoint } from "./endpoint.ts";
import { createDockerStream, type DockerStream, type StreamHandlers } from "./stream.ts";

/** Every call to the daemon can be ended from outside and ends by itself. */
export interface CallOptions {
  /** Its reason is what the call fails with. */
  signal?: AbortSignal;
  /** How long the daemon may take, in ms. */
  timeoutMs?: number;
}

export interface ApiRequest extends CallOptions {
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Below the version: `/containers/create`. */
  path: string;
  /** What is undefined is left out; objects are written as JSON. */
  query?: Readonly<Record<string, string | number | boolean | object | undefined>>;
  headers?: Readonly<Record<string, string>>;
  body?: object;
  /** Instead of `body`: a tar archive, piece by piece. */
  archive?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Largest answer that is read. */
  maxBytes?: number;
}

export interface ApiAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** Requests to one daemon at one address. Knows HTTP, and nothing of containers. */
export interface Transport {
  readonly address: string;
  /** @throws DockerError for a status of 400 or more; ENGINE_UNAVAILABLE; the signal's reason */
  call(request: ApiRequest): Promise<ApiAnswer>;
  /** An answer that comes as one JSON value a line, for as long as something comes every `timeoutMs`. */
  lines(request: ApiRequest, onLine: (value: unknown) => void): Promise<void>;
  /** The connection of an answered request becomes a stream in both directions. */
  hijack(request: ApiRequest, handlers: StreamHandlers): Promise<DockerStream>;
  /** Closes idle connections, and those in use. */
  close(): void;
}

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_LINE_CHARS = 256 * 1024;
const MAX_SOCKETS = 64;

export function createTransport(endpoint: Endpoint): Transport {
  const { address, target } = endpoint;
  const tls = "tls" in target ? target.tls : undefined;
  const where: RequestOptions = "socketPath" in target ? target : { host: target.host, port: target.port, ...tls };
  const library = tls ? https : http;
  const agent = new library.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const open = new Set<ClientRequest>();

  /** Sends a request and hands over its answer or its connection; watches the clock and the signal until `done`. */
  function exchange<T>(
    request: ApiRequest,
    own: { agent: http.Agent | false },
    take: (answer: IncomingMessage, alive: () => void) => Promise<T>,
    takeSocket?: (socket: Socket, head: Buffer) => T,
  ): Promise<T> {
    const { signal, timeoutMs = TIMEOUT_MS } = request;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) return reject(reasonOf(signal));
      const upgrade = takeSocket && { Connection: "Upgrade", Upgrade: "tcp" };
      const json = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body), "utf8");
      const sent = library.request({
        ...where,
        ...own,
        method: request.method,
        path: withQuery(request),
        headers: {
          ...("socketPath" in target && { Host: "docker" }),
          ...(json && { "Content-Type": "application/json", "Content-Length": json.byteLength }),
          ...(request.archive && { "Content-Type": "application/x-tar" }),
          ...(request.method === "POST" && !json && !request.archive && { "Content-Length": 0 }),
          ...request.headers,
          ...upgrade,
        },
      });
      open.add(sent);
      let isOver = false;
      let isAnswered = false;
      const end = (settle: () => void) => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        open.delete(sent);
        settle();
      };
      const fail = (error: Error) =>
        end(() => {
          sent.destroy();
          reject(error);
        });
      const onAbort = () => fail(reasonOf(signal));
      const onTimeout = () =>
        fail(daemonUnavailable(`the Docker daemon at ${address} did not answer within ${timeoutMs} ms: ${CHECK}`));
      const timer = setTimeout(onTimeout, timeoutMs);
      signal?.addEventListener("abort", onAbort);

      sent.on("error", (error) => {
        // A kept connection that the daemon closed meanwhile: nothing of the request was read, and it is sent anew.
        const isStale = sent.reusedSocket && !isAnswered && isReset(error) && !request.archive;
        if (isStale) end(() => resolve(exchange(request, own, take, takeSocket)));
        else fail(error instanceof DynamicMcpError ? error : unreachable(address, error));
      });
      sent.on("response", (answer) => {
        isAnswered = true;
        take(answer, () => timer.refresh()).then(
          (value) => end(() => resolve(value)),
          (error: Error) => fail(isForeign(error) ? unreachable(address, error) : error),
        );
      });
      if (takeSocket) {
        sent.on("upgrade", (_, socket, head) => end(() => resolve(takeSocket(socket, head))));
      }
      if (request.archive) {
        pipeline(Readable.from(request.archive, { objectMode: false }), sent).catch((error: Error) => {
          // The daemon's own words, when it has any, come as a response; an archive that cannot be read has none.
          if (!isForeign(error)) fail(error);
        });
      } else {
        sent.end(json);
      }
    });
  }

  async function takeWhole(answer: IncomingMessage, maxBytes: number): Promise<ApiAnswer> {
    const status = answer.statusCode ?? 0;
    const body = await readBody(answer, status >= 400 ? MAX_BYTES : maxBytes);
    if (status >= 400) throw refusal(status, body);
    return { status, headers: answer.headers, body };
  }

  return {
    address,
    call: (request) => exchange(request, { agent }, (answer) => takeWhole(answer, request.maxBytes ?? MAX_BYTES)),

    lines: (request, onLine) =>
      exchange(request, { agent }, async (answer, alive) => {
        if ((answer.statusCode ?? 0) >= 400) return void (await takeWhole(answer, MAX_BYTES));
        let text = "";
        answer.setEncoding("utf8");
        for await (const chunk of answer as AsyncIterable<string>) {
          alive();
          const lines = (text + chunk).split("\n");
          text = lines.pop() ?? "";
          if (text.length > MAX_LINE_CHARS) throw garbage(address);
          for (const line of lines) if (line.trim() !== "") onLine(parseJson(line, address));
        }
        if (text.trim() !== "") onLine(parseJson(text, address));
      }),

    hijack: (request, handlers) =>
      exchange(
        request,
        { agent: false },
        async (answer): Promise<never> => {
          await takeWhole(answer, MAX_BYTES);
          throw daemonUnavailable(`the Docker daemon at ${address} did not open a stream; a proxy may be in between`);
        },
        (socket, head) => createDockerStream(socket, head, handlers),
      ),

    close() {
      agent.destroy();
      for (const sent of open) sent.destroy(unreachable(address, { message: "the connection was closed by us" }));
    },
  };
}

const CHECK = "check that it is well, then try again";

const isReset = (error: Error) => ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "");
/** Comes from Node's sockets and parsers rather than from us. */
const isForeign = (error: Error) =>
  !(error instanceof DynamicMcpError || error instanceof DockerError) && "code" in error;

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}

function withQuery({ path, query = {} }: ApiRequest): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parts.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  return parts.size === 0 ? path : `${path}?${parts.toString()}`;
}

async function readBody(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new DynamicMcpError("TOO_LARGE", `the Docker daemon sent more than ${maxBytes} bytes`, {
        data: { maxBytes },
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const MESSAGE_CHARS = 2_000;

function refusal(status: number, body: Buffer): DockerError {
  const text = body.toString("utf8");
  let message = text;
  try {
    const told = (JSON.parse(text) as { message?: unknown } | null)?.message;
    if (typeof told === "string") message = told;
  } catch {
    // Something between us and the daemon answered in its own words.
  }
  return new DockerError(status, message.trim().slice(0, MESSAGE_CHARS) || `status ${status}`);
}

const garbage = (address: string) =>
  daemonUnavailable(`what answers at ${address} is not the Docker Engine API: check DOCKER_HOST`);

/** @throws ENGINE_UNAVAILABLE when it is not JSON */
export function parseJson(text: string, address: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw garbage(address);
  }
}
