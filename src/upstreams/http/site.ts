import { DynamicMcpError } from "../../core/errors.ts";
import type { HttpExchange, HttpHeaders, HttpListener, HttpPool, HttpRequest } from "../../machine/net/http-pool.ts";
import type { TokenSource } from "../upstream.ts";
import { challengeIn, isScopeMissing, loginWanted, textOfChallenge } from "./login.ts";

/** One server's address, with the headers and tokens that each request to it carries. */
export interface Site {
  /** Of the server, for messages. */
  readonly name: string;
  readonly url: URL;
  /**
   * Sends a request with what the operator has set. A refused token is renewed once; a refusal that stands comes as
   * UPSTREAM_LOGIN, so a listener never sees 401 or 403.
   */
  send(request: SiteRequest, listener: HttpListener): HttpExchange;
}

export interface SiteRequest {
  method: HttpRequest["method"];
  /** Default: that of the site's URL. */
  path?: string;
  /** The protocol's own; name, value, name, value ... */
  headers: readonly string[];
  body?: string;
}

export interface SiteOptions {
  name: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  tokens: TokenSource | undefined;
  pool: HttpPool;
}

export function createSite({ name, url, headers, tokens, pool }: SiteOptions): Site {
  const own = ownHeaders(url, headers, tokens !== undefined);
  const place: Place = { name, url, pool, own, fallback: credentialsOf(url, headers), tokens };
  return {
    name,
    url,
    send(request, listener) {
      const visit = new Visit(place, request, listener);
      visit.start();
      return visit;
    },
  };
}

/** The protocol's own and the connection's: an operator's header of such a name is left out. */
const RESERVED = new Set(
  (
    "accept accept-encoding content-type content-length content-encoding transfer-encoding connection keep-alive upgrade " +
    "expect te trailer proxy-authorization last-event-id mcp-session-id mcp-protocol-version mcp-method mcp-name"
  ).split(" "),
);

function ownHeaders(url: URL, headers: Readonly<Record<string, string>>, hasTokens: boolean): string[] {
  // An absent Accept-Encoding would mean that any will do.
  const own = ["accept-encoding", "identity"];
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (RESERVED.has(lower) || lower.startsWith("mcp-param-") || lower === "authorization") continue;
    own.push(name, value);
  }
  const credentials = credentialsOf(url, headers);
  if (credentials !== undefined && !hasTokens) own.push("authorization", credentials);
  return own;
}

/** What the operator wrote, in a header or in the URL. */
function credentialsOf(url: URL, headers: Readonly<Record<string, string>>): string | undefined {
  const written = Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization");
  if (written) return written[1];
  if (url.username === "" && url.password === "") return undefined;
  const pair = `${decoded(url.username)}:${decoded(url.password)}`;
  return `Basic ${Buffer.from(pair, "utf8").toString("base64")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that stands for itself.
    return text;
  }
}

interface Place {
  name: string;
  url: URL;
  pool: HttpPool;
  own: readonly string[];
  /** Used where a source of tokens has none. */
  fallback: string | undefined;
  tokens: TokenSource | undefined;
}

interface Refusal {
  status: number;
  challenge: string | undefined;
}

/** A request with its second try where a token was refused. */
class Visit implements HttpListener, HttpExchange {
  readonly #place: Place;
  readonly #request: SiteRequest;
  readonly #listener: HttpListener;
  #exchange: HttpExchange | undefined;
  #refusal: Refusal | undefined;
  #token: string | undefined;
  #hasTriedAgain = false;
  #isOver = false;

  constructor(place: Place, request: SiteRequest, listener: HttpListener) {
    this.#place = place;
    this.#request = request;
    this.#listener = listener;
  }

  start(): void {
    const { tokens } = this.#place;
    if (!tokens) return this.#send(undefined);
    tokens.token().then(
      (token) => this.#send(token),
      (error: unknown) => this.#fail(error),
    );
  }

  abort(): void {
    this.#isOver = true;
    this.#exchange?.abort();
  }

  onHead(status: number, headers: HttpHeaders): "whole" | "chunks" {
    if (status !== 401 && status !== 403) return this.#listener.onHead(status, headers);
    this.#refusal = { status, challenge: textOfChallenge(headers) };
    return "whole";
  }

  onWhole(body: Buffer): void {
    if (this.#refusal) this.#afterRefusal(this.#refusal);
    else this.#listener.onWhole(body);
  }

  onChunk(chunk: Buffer): void {
    this.#listener.onChunk(chunk);
  }

  onEnd(): void {
    this.#listener.onEnd();
  }

  onError(error: DynamicMcpError): void {
    // A refusal stands, whatever its body was like.
    if (this.#refusal) this.#afterRefusal(this.#refusal);
    else this.#listener.onError(inTheNameOf(this.#place.name, error));
  }

  #send(token: string | undefined): void {
    if (this.#isOver) return;
    this.#token = token;
    const { url, pool, own, fallback, tokens } = this.#place;
    const { method, path = url.pathname + url.search, headers, body } = this.#request;
    const all = [...headers, ...own];
    const authorization = token === undefined ? fallback : `Bearer ${token}`;
    if (tokens && authorization !== undefined) all.push("authorization", authorization);
    this.#exchange = pool.send({ method, path, headers: all, ...(body !== undefined && { body }) }, this);
  }

  #afterRefusal(refusal: Refusal): void {
    if (this.#isOver) return;
    this.#refusal = undefined;
    const { name, tokens } = this.#place;
    const challenge = challengeIn(refusal.challenge);
    const hasSent = this.#token !== undefined || this.#place.fallback !== undefined;
    const refuse = () => this.#fail(loginWanted(name, refusal.status, challenge, hasSent));
    const mayHelp = refusal.status === 401 || isScopeMissing(challenge);
    if (!tokens || this.#hasTriedAgain || !mayHelp) return refuse();
    this.#hasTriedAgain = true;
    tokens.refused(this.#token, refusal.challenge).then(
      (another) => (another ? this.start() : refuse()),
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onError(
      error instanceof DynamicMcpError
        ? error
        : new DynamicMcpError("UPSTREAM_LOGIN", `there is no token for ${this.#place.name}: it could not be fetched`, {
            cause: error,
          }),
    );
  }
}

/** The pool knows hosts only; whoever reads of it knows servers. */
function inTheNameOf(name: string, { code, message, data, cause }: DynamicMcpError): DynamicMcpError {
  return new DynamicMcpError(code, `${name}: ${message}`, { data, cause });
}
