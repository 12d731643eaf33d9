import type { IncomingMessage, ServerResponse } from "node:http";
import type { Caller, Principal } from "../../core/caller.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Answer } from "../answer.ts";
import type { Channels } from "../channels.ts";
import { assertModernVersion, eraOfHeader, hasEnvelope, readEnvelope } from "../envelope.ts";
import type { Exchange } from "../exchange.ts";
import { Flight } from "../flight.ts";
import { initializeResult, readInitialize, type Instructions } from "../initialize.ts";
import { errorReply, idInUse, readMessage, resultReply, type Message, type Reply } from "../json-rpc.ts";
import { take } from "../legacy-notifications.ts";
import type { Lists } from "../lists.ts";
import type { OpenChannel } from "../open-channel.ts";
import { allowsBatches, META, namesModernEra, ProtocolError, RPC } from "../protocol.ts";
import type { Implementation } from "../results.ts";
import { checkHeaders, checkParamHeaders, readAccept, type HeaderOf } from "./checks.ts";
import { PostReply, sendEmpty } from "./post-reply.ts";
import type { Streams } from "./streams.ts";

type Request = Extract<Message, { kind: "request" }>;

/** Most messages in one batch. */
const MAX_BATCH = 100;

export interface PostParts {
  answer: Answer;
  lists: Lists;
  channels: Channels;
  streams: Streams;
  serverInfo: Implementation;
  instructions: Instructions;
  orphanMs: number;
}

/** What arrived: one POST, its body parsed, its sender known. */
export interface Post {
  request: IncomingMessage;
  response: ServerResponse;
  body: unknown;
  principal: Principal;
  requestId: string;
  /** For every response. */
  headers: readonly string[];
}

/**
 * Answers a POST of either era. The body decides the era; headers have to agree with it.
 *
 * @returns the id of the request that `error` is to be answered under when this throws, by way of {@link Failed}
 */
export function createPostHandler(parts: PostParts): (post: Post) => Promise<void> {
  const { answer, channels, streams } = parts;

  async function single(post: Post, message: Message): Promise<void> {
    switch (message.kind) {
      case "invalid":
        throw new ProtocolError(RPC.invalidRequest, message.problem, { status: 400 });
      case "request":
        if (hasEnvelope(message.params)) return modern(post, message);
        if (message.method === "initialize") return initialize(post, message);
        if (eraOfHeader(headerOf(post)("mcp-protocol-version")) === "modern") return modern(post, message);
        return legacy(post, await channelOf(post), [message], false);
      case "notification": {
        const era = hasEnvelope(message.params) ? "modern" : eraOfHeader(headerOf(post)("mcp-protocol-version"));
        // Nothing that a client of 2026-07-28 could tell us without asking: cancelling is closing the stream.
        if (era === "modern") return sendEmpty(post.response, 202, post.headers);
        return legacy(post, await channelOf(post), [message], false);
      }
      case "response":
        return legacy(post, await channelOf(post), [message], false);
    }
  }

  async function modern(post: Post, message: Request): Promise<void> {
    const { response, principal, requestId } = post;
    const { id, method, params } = message;
    const header = headerOf(post);
    const envelope = readEnvelope(params);
    const named = header("mcp-protocol-version");
    if (named !== envelope.version) {
      throw new ProtocolError(RPC.headerMismatch, `the MCP-Protocol-Version header ${named === undefined ? "is missing" : `names ${named}`}, \`_meta\` names ${envelope.version}`, { status: 400 }); // prettier-ignore
    }
    assertModernVersion(envelope.version);
    checkHeaders(header, method, params);
    const caller: Caller = envelope.client ? { principal, client: envelope.client } : { principal };
    if (method === "tools/call" && typeof params["name"] === "string") {
      const headers = parts.lists.traitsOf(caller, params["name"])?.headers;
      if (headers && headers.length > 0) checkParamHeaders(header, headers, params["arguments"]);
    }
    const flight = new Flight();
    // Closing the stream is how a client of 2026-07-28 cancels over HTTP.
    response.once("close", () => {
      if (!response.writableFinished) flight.end("client");
    });
    const lane = new PostReply(response, readAccept(post.request.headers.accept), post.headers, streams, undefined);
    const { can, logLevel } = envelope;
    const memory = undefined;
    const reply = await answer({
      era: "modern",
      id,
      method,
      params,
      caller,
      can,
      logLevel,
      requestId,
      flight,
      lane,
      memory,
    });
    lane.finish(reply ? [reply] : [], false);
  }

  async function initialize(post: Post, { id, params }: Request): Promise<void> {
    const named = headerOf(post)("mcp-protocol-version");
    if (named !== undefined && namesModernEra(named)) {
      throw new ProtocolError(RPC.headerMismatch, `${named} has no initialize; send requests with \`_meta\``, {
        status: 400,
      });
    }
    // A session id that comes along is that of a session the client has given up: it is not looked at.
    const { version } = readInitialize(params);
    const channel = await channels.open(post.principal, version, params);
    const result = initializeResult(version, parts.serverInfo, parts.instructions?.(channel.caller));
    const reply = new PostReply(post.response, readAccept(post.request.headers.accept), [...post.headers, "mcp-session-id", channel.id], streams, channel); // prettier-ignore
    reply.finish([resultReply(id, JSON.stringify(result))], false);
  }

  async function legacy(post: Post, channel: OpenChannel, messages: Message[], isBatch: boolean): Promise<void> {
    const { response, request, headers } = post;
    const requests = messages.filter((message) => message.kind === "request");
    for (const message of messages) {
      if (message.kind === "notification" || message.kind === "response") take(channel, message);
    }
    if (requests.length === 0) return sendEmpty(response, 202, headers);
    const lane = new PostReply(response, readAccept(request.headers.accept), headers, streams, channel);
    const replies = await Promise.all(requests.map((message) => answerLegacy(post, channel, lane, message)));
    lane.finish(
      replies.filter((reply) => reply !== undefined),
      isBatch,
    );
  }

  async function answerLegacy(
    post: Post,
    channel: OpenChannel,
    lane: PostReply,
    message: Request,
  ): Promise<Reply | undefined> {
    const { id, method, params } = message;
    const { caller, can, logLevel } = channel;
    const flight = new Flight();
    let orphaned: NodeJS.Timeout | undefined;
    // A lost connection is not a cancel in the older era. But the answer has no other way to the client, so the run
    // goes on for no more than a moment: long enough for a write under way, not for a program that nobody waits for.
    const onClose = () => {
      if (!post.response.writableFinished) orphaned = setTimeout(() => flight.end("client"), parts.orphanMs).unref();
    };
    if (!channel.take(id, flight)) return errorReply(id, idInUse(id), 200);
    post.response.once("close", onClose);
    try {
      const memory = channels.memoryOf(channel);
      return await answer({ era: "legacy", id, method, params, caller, can, logLevel, requestId: post.requestId, flight, lane, memory } satisfies Exchange); // prettier-ignore
    } finally {
      clearTimeout(orphaned);
      post.response.off("close", onClose);
      channel.land(id);
    }
  }

  async function batch(post: Post, values: unknown[]): Promise<void> {
    const problem = batchProblem(values);
    if (problem) throw new ProtocolError(RPC.invalidRequest, problem, { status: 400 });
    const messages = values.map(readMessage);
    const bad = messages.find((message) => message.kind === "invalid");
    if (bad) throw new ProtocolError(RPC.invalidRequest, bad.problem, { status: 400 });
    const channel = await channelOf(post);
    if (!allowsBatches(channel.version)) {
      throw new ProtocolError(RPC.invalidRequest, `protocol version ${channel.version} has no batches; send messages one by one`, { status: 400 }); // prettier-ignore
    }
    return legacy(post, channel, messages, true);
  }

  /** @throws ProtocolError without a session id, CHANNEL_NOT_FOUND for one that is not known (any more) */
  function channelOf(post: Post): OpenChannel | Promise<OpenChannel> {
    return sessionOf(post, channels);
  }

  return async (post) => {
    if (Array.isArray(post.body)) return batch(post, post.body);
    const message = readMessage(post.body);
    try {
      await single(post, message);
    } catch (error) {
      throw new Failed(error, "id" in message ? message.id : null, isModern(message) ? "modern" : "legacy");
    }
  };
}

/** Something was thrown before the request could be answered: with what it has to be answered all the same. */
export class Failed extends Error {
  readonly id: string | number | null;
  readonly era: "legacy" | "modern";

  constructor(cause: unknown, id: string | number | null, era: "legacy" | "modern") {
    super("a request could not be answered", { cause });
    this.id = id;
    this.era = era;
  }
}

/** Refuses without a session id (400), with an unknown one (404), and with a version that is not served (400). */
export function sessionOf(
  post: Pick<Post, "request" | "principal">,
  channels: Channels,
): OpenChannel | Promise<OpenChannel> {
  const header = headerOf(post);
  const version = header("mcp-protocol-version");
  if (version !== undefined) eraOfHeader(version);
  const id = header("mcp-session-id");
  if (id === undefined) {
    throw new ProtocolError(RPC.invalidRequest, "the Mcp-Session-Id header is missing; send `initialize` first", {
      status: 400,
    });
  }
  return channels.find(id, post.principal);
}

export function headerOf({ request }: Pick<Post, "request">): HeaderOf {
  return (name) => {
    const value = request.headers[name];
    return typeof value === "string" ? value : undefined;
  };
}

function batchProblem(values: unknown[]): string | undefined {
  if (values.length === 0) return "a batch must not be empty";
  if (values.length > MAX_BATCH) return `a batch may have at most ${MAX_BATCH} messages`;
  for (const value of values) {
    if (!isJsonObject(value)) continue;
    if (value["method"] === "initialize") return "`initialize` cannot be part of a batch";
    const params = value["params"];
    if (isJsonObject(params) && hasEnvelope(params)) return "2026-07-28 has no batches; send messages one by one";
  }
  return undefined;
}

function isModern(message: Message): boolean {
  if (message.kind !== "request" && message.kind !== "notification") return false;
  const meta = message.params["_meta"];
  return isJsonObject(meta) && META.protocolVersion in meta;
}
