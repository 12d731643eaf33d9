import type { DynamicMcpError } from "../../core/errors.ts";
import { dispatcherFor, type Dispatcher, type DispatchHandler } from "./http-dispatcher.ts";
import { inWordsFor, refusedBody, refusedRedirect, tooLarge } from "./http-failures.ts";

/**
 * Kept-alive connections to one HTTP(S) server that the operator has named, loopback and private addresses included. For
 * what code in sandboxes wants to reach there is `egress.ts`.
 *
 * Never leaves its origin: a redirect is followed only within it, and only where method and body stay (307, 308). There
 * are no time limits here but the one for connecting; who sends aborts.
 */
export interface HttpPool {
  send(request: HttpRequest, listener: HttpListener): HttpExchange;
  /** Ends all exchanges and closes all connections. Safe to call twice. */
  close(): Promise<void>;
}

export interface HttpPoolOptions {
  /** Its origin is where everything goes. */
  url: URL;
  connectTimeoutMs: number;
  /** Largest body that is read whole; a longer one fails with TOO_LARGE. */
  maxBodyBytes: number;
  proxies?: HttpProxies;
}

/** What the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY say. */
export interface HttpProxies {
  http?: string | undefined;
  https?: string | undefined;
  except?: string | undefined;
}

export interface HttpRequest {
  method: "GET" | "POST" | "DELETE";
  /** Path and query. */
  path: string;
  /** Name, value, name, value ... */
  headers: readonly string[];
  body?: string;
}

export interface HttpExchange {
  /** Ends it, with its connection where that is needed. The listener hears no more. Safe to call at any time. */
  abort(): void;
}

/** Hears what comes back: a head, then either one whole body, or chunks and an end. An error at any time ends it. */
export interface HttpListener {
  /** @returns how the body is wanted */
  onHead(status: number, headers: HttpHeaders): "whole" | "chunks";
  onWhole(body: Buffer): void;
  onChunk(chunk: Buffer): void;
  onEnd(): void;
  /** UPSTREAM_UNAVAILABLE, UPSTREAM_INVALID, TOO_LARGE */
  onError(error: DynamicMcpError): void;
}

/** Names in lower case. */
export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

const MAX_HOPS = 3;

/**
 * @throws UPSTREAM_INVALID for a URL, or a proxy's, that is not http or https
 */
export async function openHttpPool(options: HttpPoolOptions): Promise<HttpPool> {
  const dispatcher = await dispatcherFor(options);
  const place: Place = { url: options.url, dispatcher, maxBodyBytes: options.maxBodyBytes };
  return {
    send(request, listener) {
      const exchange = new Exchange(place, request, listener);
      exchange.start(request.path);
      return exchange;
    },
    close: () => dispatcher.destroy().then(undefined, () => {}),
  };
}

interface Place {
  url: URL;
  dispatcher: Dispatcher;
  maxBodyBytes: number;
}

class Exchange implements HttpExchange {
  readonly #place: Place;
  readonly #request: HttpRequest;
  readonly #listener: HttpListener;
  #hop: Hop | undefined;
  #hops = 0;
  #isOver = false;

  constructor(place: Place, request: HttpRequest, listener: HttpListener) {
    this.#place = place;
    this.#request = request;
    this.#listener = listener;
  }

  start(path: string): void {
    const { method, headers, body } = this.#request;
    const { url, dispatcher, maxBodyBytes } = this.#place;
    this.#hop = new Hop(this, this.#listener, maxBodyBytes);
    // Times are the caller's: some answers take an hour, and some streams stay open for days.
    dispatcher.dispatch(
      { origin: url.origin, path, method, headers, body: body ?? null, headersTimeout: 0, bodyTimeout: 0 },
      this.#hop,
    );
  }

  /** @returns true when the exchange goes on at another path */
  redirect(status: number, headers: HttpHeaders): boolean {
    if (status < 300 || status === 304 || status > 399) return false;
    const { url } = this.#place;
    const location = String(headers["location"] ?? "");
    const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    const keepsMethod = status === 307 || status === 308;
    if (!target || !keepsMethod || target.origin !== url.origin || this.#hops === MAX_HOPS) {
      this.fail(refusedRedirect(url, status, target));
      return true;
    }
    this.#hops++;
    this.#hop?.abort();
    this.start(target.pathname + target.search);
    return true;
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.abort();
    this.#listener.onError(inWordsFor(error, this.#place.url));
  }

  abort(): void {
    this.#isOver = true;
    this.#hop?.abort();
  }
}

const GONE = new Error("no longer wanted");

/** One request of an exchange, as undici tells of it. */
class Hop implements DispatchHandler {
  readonly #exchange: Exchange;
  readonly #listener: HttpListener;
  readonly #maxBytes: number;
  #controller: { abort(reason: Error): void } | undefined;
  #mode: "whole" | "chunks" = "whole";
  #first: Buffer | undefined;
  #chunks: Buffer[] | undefined;
  #bytes = 0;
  #isOver = false;

  constructor(exchange: Exchange, listener: HttpListener, maxBytes: number) {
    this.#exchange = exchange;
    this.#listener = listener;
    this.#maxBytes = maxBytes;
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller?.abort(GONE);
  }

  onRequestStart(controller: { abort(reason: Error): void }): void {
    this.#controller = controller;
    // It was given up while it waited for a connection.
    if (this.#isOver) controller.abort(GONE);
  }

  onResponseStart(_controller: unknown, status: number, headers: HttpHeaders): void {
    if (status < 200 || this.#isOver || this.#exchange.redirect(status, headers)) return;
    const coding = headers["content-encoding"];
    if (coding !== undefined && coding !== "identity") return this.#exchange.fail(refusedBody(String(coding)));
    this.#mode = this.#listener.onHead(status, headers);
    if (this.#mode === "whole" && Number(headers["content-length"]) > this.#maxBytes) {
      this.#exchange.fail(tooLarge(this.#maxBytes));
    }
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#mode === "chunks") return this.#listener.onChunk(chunk);
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#maxBytes) return this.#exchange.fail(tooLarge(this.#maxBytes));
    if (!this.#first) this.#first = chunk;
    else (this.#chunks ??= [this.#first]).push(chunk);
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#mode === "chunks") this.#listener.onEnd();
    else this.#listener.onWhole(this.#chunks ? Buffer.concat(this.#chunks, this.#bytes) : (this.#first ?? EMPTY));
  }

  onResponseError(_controller: unknown, error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#exchange.fail(error);
  }
}

const EMPTY = Buffer.alloc(0);
