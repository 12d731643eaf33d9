import { readFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { DynamicMcpError } from "../../core/errors.ts";
import type { RegistrySettings } from "./npmrc.ts";
import { unavailable } from "./registry-errors.ts";

/**
 * GET requests to the registry: retried, redirected within its host only, ended by silence. A registry that says nothing
 * at all, to none of them, has failed after `maxSilenceMs`, whatever npm's settings have for one request; what is
 * still coming may take its time.
 */
export interface Sender {
  /**
   * @param read gets the last answer; it may be called again after a broken connection. What is left unread is dropped
   * @throws what `read` throws; REGISTRY_UNAVAILABLE; the signal's reason
   */
  send<T>(url: URL, headers: Headers, read: Read<T>): Promise<T>;
  close(): void;
}

type Headers = Readonly<Record<string, string>>;
type Read<T> = (response: IncomingMessage) => Promise<T>;
type Attempt<T> = { value: T; passing?: undefined } | { value?: undefined; passing: Error };

const MAX_CONNECTIONS = 12;
const MAX_REDIRECTS = 5;
const FIRST_WAIT_MS = 250;

export function createSender(settings: RegistrySettings, signal: AbortSignal): Sender {
  const { httpProxy, httpsProxy, noProxy } = settings;
  const agentOptions = {
    keepAlive: true,
    maxSockets: MAX_CONNECTIONS,
    proxyEnv: {
      ...(httpProxy === undefined ? {} : { HTTP_PROXY: httpProxy }),
      ...(httpsProxy === undefined ? {} : { HTTPS_PROXY: httpsProxy }),
      ...(noProxy === undefined ? {} : { NO_PROXY: noProxy }),
    },
  };
  const ca = settings.ca ?? (settings.caFile === undefined ? undefined : readFileSync(settings.caFile, "utf8"));
  const http = new HttpAgent(agentOptions);
  const https = new HttpsAgent({
    ...agentOptions,
    rejectUnauthorized: settings.isCertificateChecked,
    ...(ca === undefined ? {} : { ca }),
  });

  /** When anything last came, or when the first of those that wait now was sent. */
  let heardAt = performance.now();
  let waiting = 0;
  const watched = new WeakSet<Socket>();

  /** Also for requests that wait for a connection, which no time-out of a socket ends. */
  function endBySilence(request: ClientRequest): void {
    const sentAt = performance.now();
    const endsAt = () => Math.min(Math.max(sentAt, heardAt) + settings.idleMs, heardAt + settings.maxSilenceMs);
    const look = () => {
      const leftMs = endsAt() - performance.now();
      if (leftMs > 0) timer = setTimeout(look, leftMs + 1);
      else setImmediate(end); // what came while this thread was busy is read first
    };
    const end = () => {
      const now = performance.now();
      if (endsAt() > now) look();
      else request.destroy(new Error(`nothing came for ${Math.round(now - Math.max(sentAt, heardAt))} ms`));
    };
    let timer = setTimeout(look, endsAt() - performance.now());
    request.on("close", () => clearTimeout(timer));
    request.on("socket", (socket) => {
      if (watched.has(socket)) return;
      watched.add(socket);
      socket.on("data", () => (heardAt = performance.now()));
    });
  }

  function get(url: URL, headers: Headers): Promise<IncomingMessage> {
    const authorization = authorizationFor(url, settings.authorization);
    return new Promise((resolve, reject) => {
      const options = {
        signal,
        timeout: settings.idleMs,
        headers: {
          "user-agent": "dynamic-mcp",
          "accept-encoding": headers["accept"] === "*/*" ? "identity" : "gzip",
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
      };
      const request =
        url.protocol === "https:"
          ? httpsRequest(url, { ...options, agent: https }, resolve)
          : httpRequest(url, { ...options, agent: http }, resolve);
      request.on("timeout", () => request.destroy(new Error(`nothing came for ${settings.idleMs} ms`)));
      endBySilence(request);
      request.on("error", reject);
      request.end();
    });
  }

  async function follow(start: URL, headers: Headers): Promise<IncomingMessage> {
    let url = start;
    for (let redirects = 0; ; redirects++) {
      const response = await get(url, headers);
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || location === undefined) return response;
      response.destroy();
      if (!URL.canParse(location, url.href) || redirects === MAX_REDIRECTS) throw unavailable(start, "it redirects without end"); // prettier-ignore
      const next = new URL(location, url);
      // The same name and port, and never from https to http.
      if (next.host !== start.host || (next.protocol !== "https:" && next.protocol !== start.protocol)) {
        throw unavailable(start, `it redirects to ${next.protocol}//${next.host}, and only the registry itself is asked`); // prettier-ignore
      }
      url = next;
    }
  }

  /** @returns what was read, or a fault that may pass */
  async function attempt<T>(url: URL, headers: Headers, read: Read<T>): Promise<Attempt<T>> {
    let response: IncomingMessage;
    try {
      response = await follow(url, headers);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DynamicMcpError) throw error;
      return { passing: unavailable(url, describe(error), error) };
    }
    try {
      const status = response.statusCode ?? 0;
      if (status >= 500 || status === 408 || status === 429) return { passing: unavailable(url, `it answered with status ${status}`) }; // prettier-ignore
      return { value: await read(response) };
    } catch (error) {
      signal.throwIfAborted();
      // The connection broke while the answer was read. One that `read` gave up breaks, too, and that is no reason.
      if (response.errored && error === response.errored)
        return { passing: unavailable(url, describe(response.errored), error) };
      throw error;
    } finally {
      if (!response.complete) response.destroy();
    }
  }

  return {
    async send(url, headers, read) {
      if (waiting++ === 0) heardAt = performance.now();
      try {
        for (let tries = 0; ; tries++) {
          const { value, passing } = await attempt(url, headers, read);
          if (!passing) return value;
          const waitMs = FIRST_WAIT_MS * 3 ** tries * (0.5 + Math.random() / 2);
          const isSilent = performance.now() + waitMs - heardAt >= settings.maxSilenceMs;
          if (tries === settings.retries || isSilent) throw passing;
          await wait(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
        }
      } finally {
        waiting--;
      }
    },
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

/** The longest place that the address lies in: `//host/a/` covers `//host/a/b`. */
function authorizationFor(url: URL, known: RegistrySettings["authorization"]): string | undefined {
  const address = `//${url.host}${url.pathname}`;
  const places = Object.keys(known).filter((place) => address.startsWith(place.replace(/\/*$/, "/")));
  const longest = places.toSorted((a, b) => b.length - a.length)[0];
  return longest === undefined ? undefined : known[longest];
}

/** The code of a fault of the network says more, in fewer words, than its message. */
function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}
