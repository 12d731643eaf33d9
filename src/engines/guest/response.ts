import { Headers } from "./headers.ts";

/** What bodies need of the engine's own: text to bytes and back. */
export interface TextCoding {
  encode(text: string): Uint8Array;
  /** As UTF-8; a byte order mark is dropped, broken bytes become U+FFFD. */
  decode(bytes: Uint8Array): string;
}

/** A body as bytes, and the type that it has by itself. */
export interface Body {
  bytes: Uint8Array;
  type?: string;
}

interface ResponseFacts {
  status: number;
  statusText: string;
  url: string;
  redirected: boolean;
  headers: Headers;
  /** Asked when somebody reads the body. */
  bytes: (() => Uint8Array) | undefined;
}

export interface ResponseClass {
  new (body?: unknown, init?: unknown): object;
  json(value: unknown, init?: unknown): object;
}

/**
 * The web's `Response`, without streams and forms: the whole body has come when there is one.
 *
 * @returns the class, and how one is made of what the host answered
 */
export function makeResponse(text: TextCoding, bodyOf: (value: unknown) => Body) {
  let facts: ResponseFacts | undefined;

  class Response {
    readonly status: number;
    readonly statusText: string;
    readonly url: string;
    readonly redirected: boolean;
    readonly headers: Headers;
    #bytes: (() => Uint8Array) | undefined;
    #isUsed = false;

    constructor(body?: unknown, init: unknown = {}) {
      const given = facts ?? factsOf(body, init);
      facts = undefined;
      this.status = given.status;
      this.statusText = given.statusText;
      this.url = given.url;
      this.redirected = given.redirected;
      this.headers = given.headers;
      this.#bytes = given.bytes;
    }

    static json(value: unknown, init: unknown = {}): Response {
      const response = new Response(JSON.stringify(value), init);
      if (!new Headers((init as { headers?: unknown }).headers).has("content-type")) {
        response.headers.set("content-type", "application/json");
      }
      return response;
    }

    get ok(): boolean {
      return this.status >= 200 && this.status < 300;
    }
    get type(): string {
      return "default";
    }
    get bodyUsed(): boolean {
      return this.#isUsed;
    }

    async text(): Promise<string> {
      return text.decode(this.#take());
    }
    async json(): Promise<unknown> {
      return JSON.parse(text.decode(this.#take())) as unknown;
    }
    async bytes(): Promise<Uint8Array> {
      return this.#take().slice();
    }
    async arrayBuffer(): Promise<ArrayBufferLike> {
      return this.#take().slice().buffer;
    }
    clone(): Response {
      if (this.#isUsed) throw new TypeError("the body was read already; clone the response before");
      facts = {
        status: this.status,
        statusText: this.statusText,
        url: this.url,
        redirected: this.redirected,
        headers: new Headers(this.headers),
        bytes: this.#bytes,
      };
      return new Response();
    }

    #take(): Uint8Array {
      if (this.#isUsed) throw new TypeError("the body was read already; keep what you read, or clone() the response");
      if (!this.#bytes) return new Uint8Array(0);
      this.#isUsed = true;
      return this.#bytes();
    }
  }

  function factsOf(body: unknown, init: unknown): ResponseFacts {
    const { status = 200, statusText = "", headers } = (init ?? {}) as Record<string, unknown>;
    const number = Number(status);
    if (!Number.isInteger(number) || number < 200 || number > 599) {
      throw new RangeError("the status of a response is a whole number from 200 to 599");
    }
    const given = body === undefined || body === null ? undefined : bodyOf(body);
    const kept = given?.bytes.slice();
    const all = new Headers(headers);
    if (given?.type !== undefined && !all.has("content-type")) all.set("content-type", given.type);
    return { status: number, statusText: String(statusText), url: "", redirected: false, headers: all, bytes: kept && (() => kept) }; // prettier-ignore
  }

  return {
    Response: Response as ResponseClass,
    answer(given: ResponseFacts): object {
      facts = given;
      return new Response();
    },
  };
}
