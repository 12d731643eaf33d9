import { backoffMs } from "../../core/backoff.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { HttpExchange, HttpHeaders, HttpListener } from "../../machine/net/http-pool.ts";
import { type Incoming, readMessages, readPlainAnswer } from "../peer/read-message.ts";
import type { WireAnswer, WireRequest } from "../peer/wire.ts";
import { createEventReader, type EventReader } from "./events.ts";
import { brokenOff, contentTypeOf, type Head, isEvents, isJson, notAnAnswer } from "./refusals.ts";
import type { Site, SiteRequest } from "./site.ts";

/** What one request needs of its wire. */
export interface PostContext {
  readonly site: Site;
  readonly maxMessageBytes: number;
  /** Older era only: a stream that broke off can be asked for again. */
  readonly canResume: boolean;
  headers(request: WireRequest): string[];
  resumeHeaders(lastEventId: string): string[];
  /** The head of the answer, before anything else of it. */
  onHead(call: PostCall, head: Head): void;
  /**
   * The answer was neither a result nor a stream.
   *
   * @param isUnread whether the server cannot have read the request: no JSON-RPC error names it
   * @returns true when the wire takes it from here, to end the call or to go on with `refuse`
   */
  onRefused(call: PostCall, status: number, isUnread: boolean): boolean;
  onOver(call: PostCall): void;
}

/** A stream should end with the answer; one that does not is closed after this long. */
const AFTER_ANSWER_MS = 250;
const MAX_RESUMES = 5;
const RESUME = { baseMs: 500, capMs: 10_000 };

/**
 * One request over Streamable HTTP: a POST, and its answer as JSON or as a stream of events. What the server sends on
 * that stream before the answer belongs to this request. What comes after the answer is not read.
 */
export class PostCall implements HttpListener {
  readonly answer: Promise<WireAnswer>;
  readonly method: string;
  readonly #context: PostContext;
  readonly #id: number;
  readonly #body: string;
  readonly #request: WireRequest;
  readonly #stopListening: (() => void) | undefined;
  #resolve!: (answer: WireAnswer) => void;
  #reject!: (error: unknown) => void;
  #exchange: HttpExchange | undefined;
  #head: Head | undefined;
  #reader: EventReader | undefined;
  #lastEventId = "";
  #retryMs: number | undefined;
  #resumes = 0;
  #timer: NodeJS.Timeout | undefined;
  #refusal: (() => void) | undefined;
  #isSettled = false;

  constructor(context: PostContext, id: number, body: string, request: WireRequest) {
    this.#context = context;
    this.#id = id;
    this.#body = body;
    this.#request = request;
    this.method = request.method;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#stopListening = request.deadline.onEnd(() => this.fail(request.deadline.error()));
  }

  start(): void {
    if (this.#isSettled) return;
    this.#send({ method: "POST", headers: this.#context.headers(this.#request), body: this.#body });
  }

  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#exchange?.abort();
    this.#reject(error);
  }

  /** The wire is at its end. */
  drop(message: string): void {
    // One that still waited to be sent can be sent over the next wire.
    const data = this.#exchange ? { reason: "lost" } : { reason: "lost", isUnhandled: true };
    this.fail(new DynamicMcpError("UPSTREAM_UNAVAILABLE", message, { data }));
  }

  /** Ends a call that the wire took over in `onRefused` after all with what the server said. */
  refuse(): void {
    this.#refusal?.();
  }

  onHead(status: number, headers: HttpHeaders): "whole" | "chunks" {
    this.#head = { status, headers };
    this.#context.onHead(this, this.#head);
    if (status < 200 || status > 299 || !isEvents(contentTypeOf(headers))) return "whole";
    this.#reader = createEventReader(this.#context.maxMessageBytes, {
      onEvent: ({ event, data }) => {
        if (event === undefined || event === "message") this.#onEvent(data);
      },
      onId: (id) => (this.#lastEventId = id),
      onRetry: (ms) => (this.#retryMs = ms),
    });
    return "chunks";
  }

  onWhole(body: Buffer): void {
    if (this.#isSettled || !this.#head) return;
    const { status, headers } = this.#head;
    const type = contentTypeOf(headers);
    const text = body.toString("utf8");
    if (status < 200 || status > 299) return this.#onRefusal(this.#head, text);
    if (!isJson(type) && type !== "") return this.fail(notAnAnswer(this.#context.site.name, this.#head, text));
    if (this.#takePlain(text.endsWith("}") ? text : text.trimEnd())) return;
    this.#takeAll(readMessages(text) ?? [], true);
    if (!this.#isSettled) this.fail(notAnAnswer(this.#context.site.name, this.#head, text));
  }

  onChunk(chunk: Buffer): void {
    if (!this.#isSettled) this.#reader?.push(chunk);
  }

  onEnd(): void {
    clearTimeout(this.#timer);
    if (!this.#isSettled) this.#resume(undefined);
  }

  onError(error: DynamicMcpError): void {
    clearTimeout(this.#timer);
    if (this.#isSettled) return;
    // What broke off in mid-stream, or while the stream is asked for again, may come again; what is too large would not.
    if (this.#reader && error.code === "UPSTREAM_UNAVAILABLE") this.#resume(error);
    else this.fail(error);
  }

  #send(request: SiteRequest): void {
    this.#exchange = this.#context.site.send(request, this);
  }

  #onEvent(text: string): void {
    if (this.#isSettled || text === "") return;
    this.#resumes = 0;
    if (!this.#takePlain(text)) this.#takeAll(readMessages(text) ?? [], false);
  }

  #takePlain(text: string): boolean {
    const plain = readPlainAnswer(text);
    if (plain?.id !== this.#id) return false;
    this.#succeed({ result: plain.result, text: plain.text });
    return true;
  }

  /** @param isAll whether nothing else comes: an error without an id can only be about this request then */
  #takeAll(messages: readonly Incoming[], isAll: boolean): void {
    for (const message of messages) {
      if (this.#isSettled) return;
      if (message.kind !== "answer") this.#request.onMessage(message);
      else if (message.id === this.#id || (isAll && isNameless(message))) this.#succeed(message.answer);
    }
  }

  #onRefusal(head: Head, text: string): void {
    if (this.#reader) {
      // The stream cannot be had again; the request itself was read.
      this.fail(brokenOff(this.#context.site.name, undefined));
      this.#context.onRefused(this, head.status, true);
      return;
    }
    const answers = (readMessages(text) ?? []).filter((message) => message.kind === "answer");
    const own = answers.find(({ id }) => id === this.#id);
    const about = own ?? answers.find(isNameless);
    this.#refusal = () => {
      if (about) this.#succeed(about.answer);
      else this.fail(notAnAnswer(this.#context.site.name, head, text));
    };
    if (!this.#context.onRefused(this, head.status, own === undefined)) this.#refusal();
  }

  #resume(cause: DynamicMcpError | undefined): void {
    const { site, canResume } = this.#context;
    if (!canResume || this.#lastEventId === "" || this.#resumes === MAX_RESUMES)
      return this.fail(brokenOff(site.name, cause));
    this.#resumes++;
    const waitMs = this.#retryMs ?? backoffMs(this.#resumes, RESUME, Math.random);
    this.#timer = setTimeout(() => {
      this.#send({ method: "GET", headers: this.#context.resumeHeaders(this.#lastEventId) });
    }, waitMs);
  }

  #succeed(answer: WireAnswer): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#resolve(answer);
    if (!this.#reader) return;
    // It is kept for a moment: a stream that ends by itself leaves its connection to the next request.
    this.#timer = setTimeout(() => this.#exchange?.abort(), AFTER_ANSWER_MS);
    this.#timer.unref();
  }

  #settle(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#stopListening?.();
    this.#context.onOver(this);
  }
}

function isNameless(message: Incoming): boolean {
  return message.kind === "answer" && "error" in message.answer && (message.id === null || message.id === undefined);
}
