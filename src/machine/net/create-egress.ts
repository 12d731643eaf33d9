import type { IncomingMessage } from "node:http";
import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { createTurns } from "../../core/turns.ts";
import { createAddressRule } from "./addresses.ts";
import { createByteBudget } from "./byte-budget.ts";
import { checkedAddresses, type Lookup, lookupAsTheMachine } from "./connect.ts";
import type { Egress, EgressOptions, EgressRequest, EgressResponse } from "./egress.ts";
import { exchange, inOurWords, reasonOf } from "./exchange.ts";
import { assertHostPatterns, matchesHost } from "./hosts.ts";
import { readBody } from "./read-body.ts";
import { checkHeaders, checkMethod, failed, type Header, refused, shownWhole, withoutBodyHeaders, withoutCredentials } from "./request-head.ts"; // prettier-ignore

/** What tests replace. */
export interface EgressParts {
  lookup?: Lookup;
  /** Certificates to trust instead of the usual ones, PEM. */
  trusted?: readonly string[];
  idleMs?: number;
  heldBytes?: number;
}

/** A request on its way from one place to the next. */
interface Hop {
  url: URL;
  method: string;
  headers: Header[];
  body: Uint8Array | undefined;
}

const MAX_URL_CHARS = 16_384;
/** No byte for so long, and the other side is taken for dead. */
const IDLE_MS = 15_000;
/** Of all answers at once; one that is packed as large as it may be always fits. */
const HELD_BYTES = 128 * 1024 * 1024;
/** As many as there are threads for it. */
const UNPACKED_AT_ONCE = 4;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** @throws CONFIG_INVALID when a host pattern or a range of addresses cannot be read */
export function createEgress(options: EgressOptions, parts: EgressParts = {}): Egress {
  const { lookup = lookupAsTheMachine, trusted, idleMs = IDLE_MS, heldBytes = HELD_BYTES } = parts;
  const { allowedHosts, maxRequestBytes, maxResponseBytes, timeoutMs, maxRedirects } = options;
  const mayConnect = createAddressRule(options.allowedAddresses);
  assertHostPatterns(allowedHosts);
  const budget = createByteBudget(Math.max(heldBytes, 2 * maxResponseBytes));
  const inTurn = createTurns(UNPACKED_AT_ONCE);
  const running = new Set<AbortController>();
  let isClosed = false;

  /** Scheme, userinfo and host; the address comes when there is one. */
  function checkUrl(url: URL, allowed: readonly string[]): void {
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw refused(`only http and https can be fetched, not${shownWhole(url.protocol)}`, "scheme");
    }
    if (url.username !== "" || url.password !== "") {
      throw refused("a URL with a name or password in it is not fetched; use the authorization header", "credentials");
    }
    const isNamed = matchesHost(allowed, url);
    if (isNamed && matchesHost(allowedHosts, url)) return;
    const why = isNamed
      ? "the operator of this server does not allow it to sandboxes (MCP_SANDBOX_ALLOWED_HOSTS)"
      : "the tool does not name it among the hosts of its `network` list";
    throw refused(`${url.host} may not be reached: ${why}`, "host", { host: url.host });
  }

  async function follow(first: Hop, request: EgressRequest, allowed: readonly string[], signal: AbortSignal) {
    let hop = first;
    for (let redirects = 0; ; redirects++) {
      checkUrl(hop.url, allowed);
      const addresses = await orEnd(checkedAddresses(hop.url, mayConnect, lookup), signal);
      const answer = await exchange({ ...hop, addresses }, { mayConnect, trusted, idleMs, signal });
      const location = REDIRECTS.has(answer.statusCode ?? 0) ? answer.headers.location : undefined;
      if (location === undefined || request.redirect === "manual") {
        return { answer, hop, isRedirected: redirects > 0 };
      }
      answer.destroy();
      if (request.redirect === "error") throw failed(`${hop.url.host} answered with a redirect, which was not wanted`);
      if (redirects === maxRedirects) throw failed(`more than ${maxRedirects} redirects`);
      hop = nextHop(hop, answer, location, first.url);
    }
  }

  return {
    async fetch(request, allowed, deadline) {
      deadline.throwIfEnded();
      if (isClosed) throw new DynamicMcpError("SHUTTING_DOWN", "the server is stopping");
      const first = firstHop(request, maxRequestBytes);
      const { controller, stop } = startClock(deadline, timeoutMs, first.url);
      running.add(controller);
      const { signal } = controller;
      const share = budget.open();
      let at = first.url;
      try {
        const { answer, hop, isRedirected } = await follow(first, request, allowed, signal);
        at = hop.url;
        const limits = { method: hop.method, maxBytes: maxResponseBytes, share, inTurn };
        const body = await orEnd(readBody(answer, limits), signal);
        return responseOf(answer, hop.url, isRedirected, body);
      } catch (error) {
        throw signal.aborted ? reasonOf(signal) : inOurWords(error, at);
      } finally {
        stop();
        share.release();
        running.delete(controller);
        // What is still open (a body that nobody reads on) ends here.
        controller.abort();
      }
    },
    async close() {
      isClosed = true;
      const why = new DynamicMcpError("SHUTTING_DOWN", "the server is stopping");
      for (const controller of running) controller.abort(why);
    },
  };
}

function firstHop({ url: text, method, headers = [], body }: EgressRequest, maxRequestBytes: number): Hop {
  const url = text.length > MAX_URL_CHARS ? null : URL.parse(text);
  if (!url) throw refused(`this is not a URL that can be fetched:${shownWhole(text)}`, "url");
  url.hash = "";
  const verb = checkMethod(method);
  if (body && (verb === "GET" || verb === "HEAD")) throw refused(`${verb} has no body`, "method");
  if (body && body.byteLength > maxRequestBytes) {
    const data = { maxBytes: maxRequestBytes };
    throw new DynamicMcpError("TOO_LARGE", `the body of a request has at most ${maxRequestBytes} bytes`, { data });
  }
  const given = checkHeaders(headers);
  const has = (name: string) => given.some(([each]) => each === name);
  const added: Header[] = [
    ["accept", "*/*"],
    ["accept-encoding", "gzip, deflate, br"],
    ["user-agent", "dynamic-mcp"],
  ];
  return { url, method: verb, headers: [...given, ...added.filter(([name]) => !has(name))], body };
}

/** @see WHATWG Fetch, section 4.4 "HTTP-redirect fetch" */
function nextHop(hop: Hop, answer: IncomingMessage, location: string, asked: URL): Hop {
  // Node gives headers as Latin-1; a location with other letters is UTF-8 in practice.
  const url = URL.parse(Buffer.from(location, "latin1").toString("utf8"), hop.url.href);
  if (!url) throw failed(`${hop.url.host} redirects to something that is not a URL`);
  url.hash = "";
  if (url.protocol === "http:" && asked.protocol === "https:") {
    throw refused("a redirect from https to http is not followed", "redirect", { host: url.host });
  }
  const status = answer.statusCode;
  const becomesGet =
    status === 303
      ? hop.method !== "GET" && hop.method !== "HEAD"
      : (status === 301 || status === 302) && hop.method === "POST";
  const headers = url.origin === hop.url.origin ? hop.headers : withoutCredentials(hop.headers);
  return becomesGet
    ? { url, method: "GET", headers: withoutBodyHeaders(headers), body: undefined }
    : { url, method: hop.method, headers, body: hop.body };
}

/** Ends a fetch at its own limit, or with the deadline, whichever comes first. */
function startClock(deadline: Deadline, timeoutMs: number, url: URL): { controller: AbortController; stop(): void } {
  const controller = new AbortController();
  const late = failed(`${url.host} did not answer in full within ${timeoutMs} ms`, { timeoutMs });
  const timer = setTimeout(() => controller.abort(late), timeoutMs);
  const stopListening = deadline.onEnd(() => controller.abort(deadline.error()));
  return {
    controller,
    stop() {
      clearTimeout(timer);
      stopListening();
    },
  };
}

/** What is waited for, or the signal's reason: a resolver cannot be told to stop. */
async function orEnd<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = () => {};
  const ended = new Promise<never>((_, reject) => {
    stop = () => reject(reasonOf(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function responseOf(answer: IncomingMessage, url: URL, redirected: boolean, body: Uint8Array): EgressResponse {
  const headers: [string, string][] = [];
  for (let at = 0; at < answer.rawHeaders.length; at += 2) {
    headers.push([(answer.rawHeaders[at] ?? "").toLowerCase(), answer.rawHeaders[at + 1] ?? ""]);
  }
  return { status: answer.statusCode ?? 0, statusText: answer.statusMessage ?? "", url: url.href, redirected, headers, body }; // prettier-ignore
}
