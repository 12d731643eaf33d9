import { backoffMs } from "../../core/backoff.ts";
import { type DynamicMcpError, hasCode } from "../../core/errors.ts";
import type { HttpExchange, HttpHeaders, HttpListener } from "../../machine/net/http-pool.ts";
import { readMessages } from "../peer/read-message.ts";
import type { WireMessage } from "../peer/wire.ts";
import { createEventReader, type EventReader } from "./events.ts";
import { contentTypeOf, isEvents } from "./refusals.ts";
import type { Site } from "./site.ts";

export interface ListenContext {
  readonly site: Site;
  readonly maxMessageBytes: number;
  headers(lastEventId: string): string[];
  onMessage(message: WireMessage): void;
  /** The server does not know the session any more. */
  onSessionGone(): void;
  /** It could not be reached several times in a row. */
  onUnreachable(error: DynamicMcpError): void;
}

const RETRY = { baseMs: 1_000, capMs: 30_000 };
/** One that held this long was a good one. */
const GOOD_MS = 10_000;
const UNREACHABLE_AFTER = 3;

/**
 * The stream on which a server of the older era says what belongs to no request. It is opened again whenever it ends; a
 * server that has none (405) is left in peace.
 */
export class ListenStream implements HttpListener {
  readonly #context: ListenContext;
  #exchange: HttpExchange | undefined;
  #reader: EventReader | undefined;
  #status = 0;
  #lastEventId = "";
  #retryMs: number | undefined;
  #attempt = 0;
  #failures = 0;
  #openedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(context: ListenContext) {
    this.#context = context;
  }

  open(): void {
    if (this.#isStopped) return;
    this.#reader = undefined;
    this.#exchange = this.#context.site.send(
      { method: "GET", headers: this.#context.headers(this.#lastEventId) },
      this,
    );
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#exchange?.abort();
  }

  onHead(status: number, headers: HttpHeaders): "whole" | "chunks" {
    this.#status = status;
    this.#failures = 0;
    if (status !== 200 || !isEvents(contentTypeOf(headers))) return "whole";
    this.#openedAt = performance.now();
    this.#reader = createEventReader(this.#context.maxMessageBytes, {
      onEvent: ({ event, data }) => {
        if (event === undefined || event === "message") this.#onEvent(data);
      },
      onId: (id) => (this.#lastEventId = id),
      onRetry: (ms) => (this.#retryMs = ms),
    });
    return "chunks";
  }

  onWhole(): void {
    if (this.#isStopped) return;
    if (this.#status === 404) return this.#context.onSessionGone();
    // Only what may pass is asked for again: all else means that there is no such stream.
    if (this.#status >= 500 || this.#status === 429) this.#again();
  }

  onChunk(chunk: Buffer): void {
    if (!this.#isStopped) this.#reader?.push(chunk);
  }

  onEnd(): void {
    this.#again();
  }

  onError(error: DynamicMcpError): void {
    if (this.#isStopped) return;
    if (!this.#reader && hasCode(error, "UPSTREAM_UNAVAILABLE") && ++this.#failures === UNREACHABLE_AFTER) {
      return this.#context.onUnreachable(error);
    }
    if (!hasCode(error, "UPSTREAM_LOGIN")) this.#again();
  }

  #onEvent(text: string): void {
    for (const message of readMessages(text) ?? []) {
      if (message.kind !== "answer") this.#context.onMessage(message);
    }
  }

  #again(): void {
    if (this.#isStopped) return;
    if (this.#reader && performance.now() - this.#openedAt > GOOD_MS) this.#attempt = 0;
    this.#attempt++;
    const waitMs = backoffMs(this.#attempt, RETRY, Math.random);
    this.#timer = setTimeout(
      () => this.open(),
      this.#attempt === 1 ? (this.#retryMs ?? waitMs) : Math.max(waitMs, this.#retryMs ?? 0),
    );
    this.#timer.unref();
  }
}
