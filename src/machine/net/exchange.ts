import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { DynamicMcpError } from "../../core/errors.ts";
import type { AddressRule } from "./addresses.ts";
import type { Address } from "./connect.ts";
import { placeOf } from "./hosts.ts";
import { failed, type Header, refused } from "./request-head.ts";

/** One request to one place that was checked before. */
export interface Exchange {
  url: URL;
  method: string;
  headers: readonly Header[];
  body: Uint8Array | undefined;
  /** All allowed; at least one. */
  addresses: readonly Address[];
}

export interface ExchangeLimits {
  /** Looks once more at the address of the connection itself. */
  mayConnect: AddressRule;
  /** Certificates to trust besides the usual ones, PEM. */
  trusted: readonly string[] | undefined;
  /** Longest silence of the other side, in ms. */
  idleMs: number;
  signal: AbortSignal;
}

const MAX_HEAD_BYTES = 64 * 1024;
/** Before the next address of a name is tried, in ms. Node's own 250 is less than some continents need. */
const NEXT_ADDRESS_MS = 1_000;

/**
 * Sends a request over a connection of its own and gives the answer once its head is there. Connections are not kept:
 * nothing of one caller is left for the next. The environment's proxies are not used.
 *
 * @throws FETCH_FAILED, FETCH_REFUSED; the reason of `signal`
 */
export function exchange(what: Exchange, limits: ExchangeLimits): Promise<IncomingMessage> {
  const { signal, idleMs } = limits;
  return new Promise((resolve, reject) => {
    const request = open(what, limits);
    const fail = (error: Error) => {
      request.destroy();
      reject(signal.aborted ? reasonOf(signal) : error);
    };
    request.on("socket", (socket) => {
      socket.once("connect", () => {
        if (!limits.mayConnect(socket.remoteAddress ?? "")) fail(refused("the connection went elsewhere", "address"));
      });
    });
    request.setTimeout(idleMs, () =>
      request.destroy(failed(`${what.url.host} said nothing for ${idleMs} ms`, { idleMs })),
    );
    request.on("error", (error) => fail(inOurWords(error, what.url)));
    // After an error this says nothing new; without one, the other side wanted another protocol.
    request.on("close", () => fail(failed(`${what.url.host} ended the connection without an answer`)));
    request.on("response", resolve);
    request.end(what.body);
  });
}

function open({ url, method, headers, body, addresses }: Exchange, limits: ExchangeLimits): ClientRequest {
  const { host, port } = placeOf(url);
  const options = {
    host,
    port,
    path: url.pathname + url.search,
    method,
    setHost: false,
    agent: false as const,
    lookup: answerWith(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    maxHeaderSize: MAX_HEAD_BYTES,
    insecureHTTPParser: false,
    joinDuplicateHeaders: true,
    signal: limits.signal,
  };
  const request =
    url.protocol === "http:"
      ? httpRequest(options)
      : httpsRequest({
          ...options,
          // SNI has no addresses (RFC 6066, section 3); the certificate is checked against either.
          servername: isIP(host) === 0 ? host : "",
          // Also where the environment says otherwise.
          rejectUnauthorized: true,
          ...(limits.trusted && { ca: [...limits.trusted] }),
        });
  request.setHeader("Host", url.host);
  for (const [name, value] of headers) request.appendHeader(name, value);
  if (body || ["POST", "PUT", "PATCH"].includes(method)) request.setHeader("Content-Length", body?.byteLength ?? 0);
  return request;
}

/** A resolver that knows the one answer. */
function answerWith(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family ?? 4);
  };
}

/** Codes only: Node's messages hold addresses. */
export function inOurWords(error: unknown, url: URL): DynamicMcpError {
  if (error instanceof DynamicMcpError) return error;
  const cause = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return failed(`${url.host} could not be reached or broke off (${cause})`, { host: url.host, cause }, error);
}

export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : failed("it was stopped");
}
