import { fromBase64, toBase64 } from "./base64.ts";
import { Headers } from "./headers.ts";
import { type Body, makeResponse, type ResponseClass, type TextCoding } from "./response.ts";
import type { HostCall } from "./tools.ts";

/** What this needs of the engine around it; the rest is plain JavaScript. */
export interface FetchParts {
  hostCall: HostCall;
  text: TextCoding;
  URL: new (url: string) => { toString(): string };
  URLSearchParams: new () => object;
}

export interface FetchGlobals {
  fetch(url: unknown, init?: unknown): Promise<object>;
  Headers: typeof Headers;
  Response: ResponseClass;
}

interface Init {
  method?: unknown;
  headers?: unknown;
  body?: unknown;
  redirect?: unknown;
  signal?: Signal | null;
}

/** As much of an `AbortSignal` as is used. */
interface Signal {
  aborted: boolean;
  /** An error by convention. */
  reason: Error;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

interface Answer {
  status: number;
  statusText: string;
  url: string;
  redirected: boolean;
  headers: [string, string][];
  body: string;
}

const REDIRECTS: readonly unknown[] = ["follow", "error", "manual"];
const TEXT = "text/plain;charset=UTF-8";
const FORM = "application/x-www-form-urlencoded;charset=UTF-8";

/**
 * `fetch` with `Headers` and `Response`. The request goes to the host as one message and comes back as one, so there are
 * no streams; options that are about browsers (`mode`, `credentials`, `cache` ...) change nothing, as in Node.
 *
 * What is no proper use throws a TypeError as on the web; what the host refuses rejects with its own error and code.
 */
export function makeFetch({ hostCall, text, URL, URLSearchParams }: FetchParts): FetchGlobals {
  const { Response, answer } = makeResponse(text, bodyOf);

  function bodyOf(value: unknown): Body {
    if (typeof value === "string") return { bytes: text.encode(value), type: TEXT };
    if (value instanceof URLSearchParams) return { bytes: text.encode(String(value)), type: FORM };
    if (value instanceof ArrayBuffer) return { bytes: new Uint8Array(value) };
    if (ArrayBuffer.isView(value)) return { bytes: new Uint8Array(value.buffer, value.byteOffset, value.byteLength) };
    throw new TypeError(
      "a body is text, a Uint8Array, an ArrayBuffer or URLSearchParams; JSON.stringify(value) makes text of an object",
    );
  }

  function requestOf(url: unknown, { method, headers, body, redirect }: Init): object {
    const verb = method === undefined ? "GET" : String(method).toUpperCase();
    const all = new Headers(headers);
    const href = String(new URL(String(url)));
    if (redirect !== undefined && !REDIRECTS.includes(redirect)) {
      throw new TypeError('redirect is "follow", "error" or "manual"');
    }
    const sent = body === undefined || body === null ? undefined : bodyOf(body);
    if (sent && (verb === "GET" || verb === "HEAD")) throw new TypeError(`a request with ${verb} has no body`);
    if (sent?.type !== undefined && !all.has("content-type")) all.set("content-type", sent.type);
    return {
      url: href,
      method: verb,
      headers: [...all],
      ...(sent ? { body: toBase64(sent.bytes, text) } : {}),
      ...(redirect === undefined ? {} : { redirect }),
    };
  }

  return {
    Headers,
    Response,
    async fetch(url, init = {}) {
      if (init !== null && typeof init !== "object") throw new TypeError("fetch(url, init): init must be an object");
      const given = (init ?? {}) as Init;
      const request = requestOf(url, given);
      if (given.signal?.aborted) throw given.signal.reason;
      const got = (await unlessAborted(hostCall("fetch", request), given.signal)) as Answer;
      const { status, statusText, redirected } = got;
      const headers = new Headers(got.headers);
      return answer({ status, statusText, url: got.url, redirected, headers, bytes: () => fromBase64(got.body, text) });
    },
  };
}

/** The host goes on; nobody waits for it. */
function unlessAborted<T>(work: Promise<T>, signal: Signal | null | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
