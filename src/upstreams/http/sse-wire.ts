import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { HttpExchange, HttpHeaders, HttpListener, HttpPool } from "../../machine/net/http-pool.ts";
import { readMessages, readPlainAnswer } from "../peer/read-message.ts";
import type { Wire, WireAnswer, WireMessage } from "../peer/wire.ts";
import type { UpstreamEnd } from "../upstream.ts";
import { createEventReader, type EventReader } from "./events.ts";
import { contentTypeOf, type Head, isEvents, notAnAnswer } from "./refusals.ts";
import { sendAlone } from "./send-alone.ts";
import type { Site } from "./site.ts";

export interface SseOptions {
  site: Site;
  pool: HttpPool;
  maxMessageBytes: number;
  deadline: Deadline;
  /** Everything that is no answer: there is one stream for all requests. */
  onMessage(message: WireMessage): void;
}

const SEND_MS = 30_000;
const MAX_SENDS = 1_000;

/**
 * HTTP+SSE of 2024-11-05: one stream that everything comes on, and an address, told on it, that everything is posted to.
 *
 * @returns a wire that is ready: the address is known
 * @throws UPSTREAM_UNAVAILABLE, UPSTREAM_INVALID, UPSTREAM_LOGIN; the deadline's own error
 */
export function openSseWire(options: SseOptions): Promise<Wire> {
  const { site, deadline } = options;
  return new Promise((resolve, reject) => {
    const wire = new SseWire(options, {
      onReady: () => {
        stop();
        resolve(wire);
      },
      onFailure: (error) => {
        stop();
        reject(error);
      },
    });
    const stop = deadline.onEnd(() => wire.fail(deadline.error()));
    wire.open(site);
  });
}

interface Opening {
  onReady(): void;
  onFailure(error: Error): void;
}

interface Waiting {
  resolve(answer: WireAnswer): void;
  reject(error: Error): void;
}

class SseWire implements Wire, HttpListener {
  readonly ended: Promise<UpstreamEnd>;
  readonly #options: SseOptions;
  readonly #opening: Opening;
  readonly #waiting = new Map<number, Waiting>();
  readonly #sends = new Set<() => void>();
  #tellEnd!: (end: UpstreamEnd) => void;
  #end: UpstreamEnd | undefined;
  #stream: HttpExchange | undefined;
  #reader: EventReader | undefined;
  #head: Head | undefined;
  /** Path and query to post to. */
  #endpoint: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SseOptions, opening: Opening) {
    this.#options = options;
    this.#opening = opening;
    this.ended = new Promise((resolve) => (this.#tellEnd = resolve));
  }

  open(site: Site): void {
    if (this.#end) return;
    this.#stream = site.send({ method: "GET", headers: ["accept", "text/event-stream"] }, this);
  }

  request(id: number, body: string, { deadline }: { deadline: Deadline }): Promise<WireAnswer> {
    if (this.#end) return Promise.reject(unavailable(this.#end.message));
    return new Promise((resolve, reject) => {
      let stop = () => {};
      const over = () => {
        stop();
        this.#waiting.delete(id);
      };
      const waiting: Waiting = {
        resolve: (answer) => (over(), resolve(answer)),
        reject: (error) => (over(), reject(error)),
      };
      this.#waiting.set(id, waiting);
      stop = deadline.onEnd(() => waiting.reject(deadline.error()));
      if (deadline.reason) return;
      this.#post(body, waiting);
    });
  }

  send(body: string): void {
    if (this.#end || this.#endpoint === undefined || this.#sends.size >= MAX_SENDS) return;
    const { site } = this.#options;
    void sendAlone(site, { method: "POST", path: this.#endpoint, headers: JSON_BODY, body }, SEND_MS, this.#sends);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Ends it for this reason, while it is opened or later. */
  fail(error: DynamicMcpError): void {
    this.#finish(
      {
        reason: error.code === "UPSTREAM_INVALID" || error.code === "TOO_LARGE" ? "invalid" : "lost",
        message: error.message,
      },
      error,
    );
  }

  onHead(status: number, headers: HttpHeaders): "whole" | "chunks" {
    this.#head = { status, headers };
    if (status !== 200 || !isEvents(contentTypeOf(headers))) return "whole";
    this.#reader = createEventReader(this.#options.maxMessageBytes, {
      onEvent: ({ event, data }) => {
        if (event === "endpoint") this.#onEndpoint(data);
        else if (event === undefined || event === "message") this.#onMessage(data);
      },
    });
    return "chunks";
  }

  onWhole(body: Buffer): void {
    if (this.#head) this.fail(notAnAnswer(this.#options.site.name, this.#head, body.toString("utf8")));
  }

  onChunk(chunk: Buffer): void {
    if (!this.#end) this.#reader?.push(chunk);
  }

  onEnd(): void {
    this.fail(unavailable(`${this.#options.site.name} closed the stream of its answers`));
  }

  onError(error: DynamicMcpError): void {
    this.fail(error);
  }

  /** It may be told anew; another origin would get what is meant for this one. */
  #onEndpoint(text: string): void {
    const { site } = this.#options;
    const target = URL.canParse(text, site.url.href) ? new URL(text, site.url) : undefined;
    if (target?.origin !== site.url.origin) {
      const where = target ? target.origin : "what is no address";
      this.fail(
        new DynamicMcpError("UPSTREAM_INVALID", `${site.name} names ${where} to post to, which is not its own origin`),
      );
      return;
    }
    const isFirst = this.#endpoint === undefined;
    this.#endpoint = target.pathname + target.search;
    if (isFirst) this.#opening.onReady();
  }

  #onMessage(text: string): void {
    const plain = readPlainAnswer(text);
    if (plain) return this.#waiting.get(plain.id)?.resolve({ result: plain.result, text: plain.text });
    for (const message of readMessages(text) ?? []) {
      if (message.kind !== "answer") this.#options.onMessage(message);
      else if (typeof message.id === "number") this.#waiting.get(message.id)?.resolve(message.answer);
    }
  }

  #post(body: string, waiting: Waiting): void {
    const { site } = this.#options;
    let head: Head | undefined;
    site.send(
      { method: "POST", headers: JSON_BODY, body, ...(this.#endpoint !== undefined && { path: this.#endpoint }) },
      {
        onHead: (status, headers) => {
          head = { status, headers };
          return "whole";
        },
        onWhole: (said) => {
          if (!head || (head.status >= 200 && head.status <= 299)) return;
          waiting.reject(notAnAnswer(site.name, head, said.toString("utf8")));
          // The session is gone, and with it what the stream would bring.
          if (head.status === 404) this.fail(unavailable(`${site.name} no longer knows this session`));
        },
        onChunk() {},
        onEnd() {},
        onError: (error) => {
          // What cannot be read of the answer to a POST says nothing about the one on the stream.
          if (!head || head.status > 299) waiting.reject(error);
        },
      },
    );
  }

  #finish(end: UpstreamEnd, error: DynamicMcpError): void {
    if (this.#end) return;
    this.#end = end;
    this.#stream?.abort();
    for (const waiting of this.#waiting.values()) waiting.reject(unavailable(end.message));
    for (const abort of this.#sends) abort();
    this.#opening.onFailure(error);
    this.#tellEnd(end);
  }

  async #close(): Promise<void> {
    const message = `the connection to ${this.#options.site.name} is closed`;
    this.#finish({ reason: "closed", message }, unavailable(message));
    await this.#options.pool.close();
  }
}

const JSON_BODY = ["content-type", "application/json"];

function unavailable(message: string): DynamicMcpError {
  return new DynamicMcpError("UPSTREAM_UNAVAILABLE", message, { data: { reason: "stream" } });
}
