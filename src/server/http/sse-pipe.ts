import { answerOnChannel } from "../answer-on-channel.ts";
import type { Caller, Principal } from "../../core/caller.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { Exposure } from "../../core/exposure.ts";
import type { Logger } from "../../core/source.ts";
import type { Answer } from "../answer.ts";
import { readCan, readClient } from "../client-can.ts";
import type { ClientMemory, Lane } from "../exchange.ts";
import { Flight } from "../flight.ts";
import { initializeResult, readInitialize, type Instructions } from "../initialize.ts";
import { errorReply, notificationText, replyText, resultReply, type Message, type Reply } from "../json-rpc.ts";
import { take } from "../legacy-notifications.ts";
import type { Notices } from "../notices.ts";
import { OpenChannel, subscribed } from "../open-channel.ts";
import { ProtocolError, RPC } from "../protocol.ts";
import type { Implementation } from "../results.ts";
import { toWire } from "../wire-errors.ts";
import { exposed } from "./exposure.ts";
import { noticeOutlet } from "./post-reply.ts";
import type { EventStream } from "./streams.ts";
import type { Request } from "./turn.ts";

export interface SsePipeParts {
  answer: Answer;
  notices: Notices;
  serverInfo: Implementation;
  instructions: Instructions;
  rootsChanged: (caller: Caller) => void;
  log: Logger;
}

/** One client of HTTP+SSE: its messages come from elsewhere, all that it hears goes out on its one stream. */
export class SsePipe {
  readonly id: string;
  readonly principal: Principal;
  readonly #exposure: Exposure | undefined;
  readonly #stream: EventStream;
  readonly #parts: SsePipeParts;
  /** Since it has initialized. */
  #own: { channel: OpenChannel; caller: Caller; stopFollowing: () => void } | undefined;
  #running = 0;
  #isEnding = false;

  constructor(
    id: string,
    principal: Principal,
    exposure: Exposure | undefined,
    stream: EventStream,
    parts: SsePipeParts,
  ) {
    this.id = id;
    this.principal = principal;
    this.#exposure = exposure;
    this.#stream = stream;
    this.#parts = parts;
  }

  /** What it has initialized with. */
  get version(): string | undefined {
    return this.#own?.channel.version;
  }

  take(message: Exclude<Message, { kind: "invalid" }>, requestId: string, bytesIn: number): void {
    if (message.kind === "request") void this.#answer(message, requestId, bytesIn);
    else if (this.#own) take(this.#own.channel, message, this.#parts.rootsChanged);
  }

  /** Ends the stream after the last answer. */
  end(): void {
    this.#isEnding = true;
    if (this.#running === 0) this.#stream.end();
  }

  /** The stream is gone, and so is the client. */
  close(): void {
    this.#own?.stopFollowing();
    this.#own?.channel.close();
  }

  async #answer(message: Request, requestId: string, bytesIn: number): Promise<void> {
    this.#running++;
    let reply: Reply | undefined;
    try {
      reply = await this.#replyTo(message, requestId, bytesIn);
    } catch (error) {
      reply = errorReply(message.id, toWire(error, "legacy", this.#parts.log).error, 200);
    }
    this.#running--;
    if (reply) this.#stream.send(replyText(reply));
    if (this.#isEnding) this.end();
  }

  async #replyTo(message: Request, requestId: string, bytesIn: number): Promise<Reply | undefined> {
    if (message.method === "initialize") return this.#initialize(message);
    if (!this.#own) throw new ProtocolError(RPC.invalidRequest, "send `initialize` first");
    const { channel, caller } = this.#own;
    return answerOnChannel(this.#parts.answer, channel, message, {
      caller,
      requestId,
      flight: new Flight(message.id),
      lane: laneOf(this.#stream, channel),
      memory: () => memoryOf(channel),
      bytesIn,
    });
  }

  #initialize({ id, params }: Request): Reply {
    if (this.#own) throw new ProtocolError(RPC.invalidRequest, "this stream has been initialized; open another one");
    const { version } = readInitialize(params);
    const { capabilities, clientInfo } = params;
    const channel = new OpenChannel(this.id, this.principal, version, readCan(capabilities), readClient(clientInfo));
    const caller = exposed(channel.caller, this.#exposure);
    // Answers go out on this stream, too: it does not end with the notices.
    const outlet = { send: noticeOutlet(this.#stream).send, finish() {} };
    const { notices, serverInfo, instructions } = this.#parts;
    const stopFollowing = channel.openStream(outlet, notices.follow(caller, channel, outlet));
    this.#own = { channel, caller, stopFollowing };
    return resultReply(id, JSON.stringify(initializeResult(version, serverInfo, instructions?.(caller))));
  }
}

function laneOf(stream: EventStream, channel: OpenChannel): Lane {
  return {
    notify: (method, params) => void stream.offer(notificationText(method, params)),
    ask: (method, params, deadline) => channel.asks.ask(method, params, deadline, (text) => stream.send(text)),
    listen() {
      throw new DynamicMcpError("INVALID_REQUEST", "this client is told of changes on the stream that it has");
    },
  };
}

/** As long as the stream; nothing is stored. */
function memoryOf(channel: OpenChannel): ClientMemory {
  return {
    setLogLevel: async (level) => void (channel.logLevel = level),
    subscribe: async (uri) => void (channel.subscriptions = subscribed(channel.subscriptions, uri)),
    unsubscribe: async (uri) =>
      void (channel.subscriptions = [...channel.subscriptions].filter((each) => each !== uri)),
  };
}
