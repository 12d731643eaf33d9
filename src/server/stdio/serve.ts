import { randomUUID } from "node:crypto";
import type { Readable, Writable } from "node:stream";
import { LOCAL, type Caller } from "../../core/caller.ts";
import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { Logger } from "../../core/source.ts";
import type { Answer } from "../answer.ts";
import { readCan, readClient } from "../client-can.ts";
import { assertModernVersion, hasEnvelope, readEnvelope } from "../envelope.ts";
import type { ClientMemory, Exchange, Lane, NoticeOutlet } from "../exchange.ts";
import { idOfEnds } from "../../machine/id-of-ends.ts";
import { Flight } from "../flight.ts";
import { initializeResult, readInitialize, type Instructions } from "../initialize.ts";
import { errorReply, idInUse, notificationText, readMessage, replyText, resultReply, type Message, type Reply, type RequestId } from "../json-rpc.ts"; // prettier-ignore
import { take } from "../legacy-notifications.ts";
import type { Notices } from "../notices.ts";
import { OpenChannel, subscribed } from "../open-channel.ts";
import { allowsBatches, LEGACY_VERSIONS, RPC } from "../protocol.ts";
import type { Implementation } from "../results.ts";
import { toWire } from "../wire-errors.ts";
import { createLineWriter, lineTooLong, readLines } from "./lines.ts";

type Request = Extract<Message, { kind: "request" }>;

export interface StdioParts {
  answer: Answer;
  notices: Notices;
  serverInfo: Implementation;
  instructions: Instructions;
  rootsChanged: (caller: Caller) => void;
  maxMessageBytes: number;
  shutdownGraceMs: number;
  log: Logger;
}

/**
 * Serves one client over a pair of streams, a message a line. Each message says its era by itself, so both may come
 * over one pipe; what a client of the older era sets (`initialize`, log level, subscriptions) lasts as long as the pipe.
 */
export function createStdio(parts: StdioParts, input: Readable, output: Writable) {
  const { answer, notices, log } = parts;
  const pipe = `stdio-${randomUUID()}`;
  // Until somebody initializes: a client that asks nothing and knows the newest words.
  let channel = new OpenChannel(pipe, LOCAL, LEGACY_VERSIONS[0], readCan(undefined), undefined);
  let isEnding = false;
  let counted = 0;
  const running = new Set<Promise<void>>();
  /** Streams of notices by the id of the request that opened them. */
  const listening = new Map<RequestId, { outlet: NoticeOutlet; end: () => void }>();
  let stopFollowing: (() => void) | undefined;
  let finish: () => void = () => {};
  const finished = new Promise<void>((done) => (finish = done));

  const writer = createLineWriter(output, input, () => {
    channel.close();
    void end();
  });
  const send = ({ head, body, tail }: Reply) => writer.write(head, body, tail);

  const memory: ClientMemory = {
    setLogLevel: async (level) => void (channel.logLevel = level),
    subscribe: async (uri) => void (channel.subscriptions = subscribed(channel.subscriptions, uri)),
    unsubscribe: async (uri) =>
      void (channel.subscriptions = [...channel.subscriptions].filter((each) => each !== uri)),
  };

  const outlet: NoticeOutlet = {
    send: (method, params) =>
      writer.notice(notificationText(method, Object.keys(params).length > 0 ? params : undefined)),
    finish: (last) => void (last !== undefined && writer.write(last)),
  };

  function laneOf(id: RequestId): Lane {
    return {
      notify: (method, params) => writer.offer(notificationText(method, params)),
      ask: (method: string, params: JsonObject, deadline: Deadline) =>
        isEnding
          ? Promise.reject(new DynamicMcpError("CANCELLED", "the client has closed its side; it cannot be asked"))
          : channel.asks.ask(method, params, deadline, (text) => writer.write(text)),
      listen(open) {
        listening.get(id)?.end();
        // What a subscription sends last takes it out of the table, whoever ended it.
        const own: NoticeOutlet = {
          send: outlet.send,
          finish(last) {
            listening.delete(id);
            outlet.finish(last);
          },
        };
        const entry = { outlet: own, end: () => {} };
        listening.set(id, entry);
        const stop = open(own);
        if (listening.get(id) === entry) entry.end = stop;
        else stop();
      },
    };
  }

  function exchangeOf(message: Request, flight: Flight, bytesIn: number): Exchange {
    const { id, method, params } = message;
    const common = {
      id,
      method,
      params,
      flight,
      lane: laneOf(id),
      requestId: `${pipe.slice(6, 14)}-${++counted}`,
      bytesIn,
    };
    if (!hasEnvelope(params)) {
      const { caller, can, logLevel } = channel;
      return { ...common, era: "legacy", caller, can, logLevel, memory: () => memory };
    }
    const { version, can, client, logLevel } = readEnvelope(params);
    assertModernVersion(version);
    const caller: Caller = client ? { principal: LOCAL, channel: pipe, client } : { principal: LOCAL, channel: pipe };
    return { ...common, era: "modern", caller, can, logLevel, memory: undefined };
  }

  async function request(message: Request, bytesIn: number): Promise<Reply | undefined> {
    const { id, params, method } = message;
    const era = hasEnvelope(params) ? "modern" : "legacy";
    const flight = new Flight(id);
    if (!channel.take(flight)) return errorReply(id, idInUse(id), 200);
    // A run outlives a second `initialize`: it lands where it took off.
    const from = channel;
    try {
      if (era === "legacy" && method === "initialize") return initialize(message);
      return await answer(exchangeOf(message, flight, bytesIn));
    } catch (error) {
      return errorReply(id, toWire(error, era, log).error, 200);
    } finally {
      from.land(flight);
    }
  }

  function initialize({ id, params }: Request): Reply {
    const { version } = readInitialize(params);
    channel = new OpenChannel(pipe, LOCAL, version, readCan(params["capabilities"]), readClient(params["clientInfo"]));
    stopFollowing?.();
    stopFollowing = channel.openStream(outlet, notices.follow(channel.caller, channel, outlet));
    return resultReply(
      id,
      JSON.stringify(initializeResult(version, parts.serverInfo, parts.instructions?.(channel.caller))),
    );
  }

  function notification(message: Extract<Message, { kind: "notification" | "response" }>): void {
    if (message.kind === "notification" && message.method === "notifications/cancelled") {
      const { requestId } = message.params;
      const subscription = listening.get(requestId as RequestId);
      listening.delete(requestId as RequestId);
      subscription?.end();
    }
    take(channel, message, parts.rootsChanged);
  }

  async function one(value: unknown, bytesIn: number): Promise<Reply | undefined> {
    const message = readMessage(value);
    if (message.kind === "request") return request(message, bytesIn);
    if (message.kind === "invalid")
      return errorReply(message.id, { code: RPC.invalidRequest, message: message.problem }, 400);
    notification(message);
    return undefined;
  }

  async function line(text: string): Promise<void> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      send(errorReply(null, { code: RPC.parseError, message: "the line is not valid JSON" }, 400));
      return;
    }
    if (!Array.isArray(value)) {
      const reply = await one(value, Buffer.byteLength(text));
      if (reply) send(reply);
      return;
    }
    const problem = batchProblem(value, channel.version);
    if (problem) {
      send(errorReply(null, { code: RPC.invalidRequest, message: problem }, 400));
      return;
    }
    const replies = (await Promise.all(value.map((each) => one(each, 0)))).filter((reply) => reply !== undefined);
    if (replies.length > 0) writer.write(`[${replies.map(replyText).join(",")}]`);
  }

  const stopReading = readLines(input, parts.maxMessageBytes, {
    line(text) {
      const done = line(text).catch((error: unknown) => log.error({ err: error }, "a line could not be answered"));
      running.add(done);
      void done.finally(() => running.delete(done));
    },
    tooLong(head, tail) {
      const id = idOfEnds(head, tail);
      const { error } = toWire(lineTooLong(parts.maxMessageBytes), "legacy", log);
      // It may have been an answer to us: then the question has failed, and the client waits for nothing.
      if (id === null || !channel.asks.answer(id, undefined, error)) send(errorReply(id, error, 400));
    },
    end: () => void end(),
  });

  async function end(graceMs = parts.shutdownGraceMs): Promise<void> {
    if (isEnding) return finished;
    isEnding = true;
    stopReading();
    stopFollowing?.();
    for (const { outlet: own, end: stop } of [...listening.values()]) {
      stop();
      own.finish();
    }
    listening.clear();
    // Nobody is left to answer what we have asked.
    channel.asks.close();
    const timer = setTimeout(() => {
      channel.endFlights("shutdown");
    }, graceMs);
    while (running.size > 0) await Promise.all(running);
    clearTimeout(timer);
    await writer.flush(graceMs);
    writer.close();
    finish();
  }

  return { finished, end };
}

export type Stdio = ReturnType<typeof createStdio>;

function batchProblem(values: unknown[], version: string): string | undefined {
  if (values.length === 0) return "a batch must not be empty";
  const isModern = values.some(
    (value) => isJsonObject(value) && isJsonObject(value["params"]) && hasEnvelope(value["params"]),
  );
  if (isModern) return "2026-07-28 has no batches; send messages one by one";
  return allowsBatches(version) ? undefined : `protocol version ${version} has no batches; send messages one by one`;
}
