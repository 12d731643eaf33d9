import type { ServerResponse } from "node:http";
import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Lane, NoticeOutlet } from "../exchange.ts";
import { notificationText, replyText, type Reply } from "../json-rpc.ts";
import type { OpenChannel } from "../open-channel.ts";
import type { Accepted } from "./checks.ts";
import type { EventStream, Streams } from "./streams.ts";

/**
 * The answer to one POST: plain JSON, unless something has to be sent before the result; then it becomes a stream of
 * events, and the result is the last of them.
 */
export class PostReply implements Lane {
  readonly #response: ServerResponse;
  readonly #accepted: Accepted;
  readonly #headers: readonly string[];
  readonly #streams: Streams;
  readonly #channel: OpenChannel | undefined;
  #stream: EventStream | undefined;
  #isListening = false;

  constructor(
    response: ServerResponse,
    accepted: Accepted,
    headers: readonly string[],
    streams: Streams,
    channel: OpenChannel | undefined,
  ) {
    this.#response = response;
    this.#accepted = accepted;
    this.#headers = headers;
    this.#streams = streams;
    this.#channel = channel;
  }

  notify(method: string, params: JsonObject): void {
    this.#open()?.offer(notificationText(method, params));
  }

  async ask(method: string, params: JsonObject, deadline: Deadline): Promise<JsonObject> {
    const stream = this.#channel && this.#open();
    if (!this.#channel || !stream) {
      throw new DynamicMcpError("CAPABILITY_MISSING", "this client takes no stream, so it cannot be asked", { data: { requiredCapabilities: {} } }); // prettier-ignore
    }
    return this.#channel.asks.ask(method, params, deadline, (text) => stream.send(text));
  }

  listen(open: (outlet: NoticeOutlet) => () => void): void {
    const stream = this.#response.destroyed ? undefined : this.#open();
    if (!stream) throw new DynamicMcpError("INVALID_REQUEST", "this needs `Accept: text/event-stream`");
    this.#isListening = true;
    const outlet = noticeOutlet(stream);
    this.#response.once("close", open(outlet));
  }

  /** @param replies what there is to send; none when the client waits for nothing */
  finish(replies: readonly Reply[], isBatch: boolean): void {
    if (this.#isListening || this.#response.writableEnded) return;
    const [reply] = replies;
    if (!this.#stream && reply && (this.#accepted.json || reply.status !== 200)) {
      if (isBatch) sendText(this.#response, 200, `[${replies.map(replyText).join(",")}]`, this.#headers);
      else sendReply(this.#response, reply, this.#headers);
      return;
    }
    const stream = (this.#stream ??= this.#streams.open(this.#response, this.#headers));
    for (const each of replies) stream.send(replyText(each));
    stream.end();
  }

  #open(): EventStream | undefined {
    if (this.#response.writableEnded || this.#response.destroyed) return this.#stream;
    if (!this.#accepted.sse) return undefined;
    return (this.#stream ??= this.#streams.open(this.#response, this.#headers));
  }
}

export function noticeOutlet(stream: EventStream): NoticeOutlet {
  return {
    send(method, params) {
      // A client that missed a notice would keep an old list for good; one that connects again asks anew.
      if (!stream.offer(notificationText(method, Object.keys(params).length > 0 ? params : undefined))) stream.drop();
    },
    finish(last) {
      if (last !== undefined) stream.send(last);
      stream.end();
    },
  };
}

const JSON_HEADERS = [
  "content-type",
  "application/json",
  "cache-control",
  "no-store",
  "x-content-type-options",
  "nosniff",
];

/** The hot way out: head and body leave in one write. */
export function sendReply(response: ServerResponse, reply: Reply, headers: readonly string[]): void {
  const { head, body, tail = "" } = reply;
  if (!body) return sendText(response, reply.status, head, headers);
  const length = Buffer.byteLength(head) + body.length + Buffer.byteLength(tail);
  response.writeHead(reply.status, [...JSON_HEADERS, ...headers, "content-length", String(length)]);
  response.cork();
  response.write(head);
  response.write(body);
  response.end(tail);
  response.uncork();
  limit(response);
}

export function sendText(response: ServerResponse, status: number, text: string, headers: readonly string[]): void {
  response.writeHead(status, [...JSON_HEADERS, ...headers, "content-length", String(Buffer.byteLength(text))]);
  response.end(text);
  limit(response);
}

/** An answer that waits for its client in our memory does not wait for ever: each part has this long to go. */
const STALL_MS = 60_000;

function limit(response: ServerResponse): void {
  if (response.writableLength > 0) response.setTimeout(STALL_MS, () => response.destroy());
}

/** As {@link sendText}, but for the end: the client has all there is, the connection is still ours. */
export function writeText(response: ServerResponse, status: number, text: string, headers: readonly string[]): void {
  response.writeHead(status, [...JSON_HEADERS, ...headers, "content-length", String(Buffer.byteLength(text))]);
  response.write(text);
}

export function sendEmpty(response: ServerResponse, status: number, headers: readonly string[]): void {
  response.writeHead(status, [...headers, "x-content-type-options", "nosniff", "content-length", "0"]);
  response.end();
}
