import { isJsonObject } from "../../core/json.ts";
import { eraOfHeader, hasEnvelope } from "../envelope.ts";
import { readMessage, type Message, type RequestId } from "../json-rpc.ts";
import { ProtocolError, RPC, type Era } from "../protocol.ts";
import { createLegacy } from "./legacy.ts";
import { createModern } from "./modern.ts";
import { sendEmpty } from "./post-reply.ts";
import { headerOf } from "./session.ts";
import type { Post, PostParts } from "./turn.ts";

/** A POST that was refused before its request could be answered; `cause` says why. */
export class Refused extends Error {
  readonly id: RequestId | null;
  readonly era: Era;

  constructor(cause: unknown, id: RequestId | null, era: Era) {
    super("a POST was refused", { cause });
    this.id = id;
    this.era = era;
  }
}

/**
 * Answers a POST of either era. The body decides the era; headers have to agree with it.
 *
 * @throws Refused
 */
export function createPostHandler(parts: PostParts): (post: Post) => Promise<void> {
  const modern = createModern(parts);
  const legacy = createLegacy(parts);

  function route(post: Post, message: Message): void | Promise<void> {
    switch (message.kind) {
      case "invalid":
        throw new ProtocolError(RPC.invalidRequest, message.problem, { status: 400 });
      case "response":
        return legacy.messages(post, [message], false);
      case "request":
        if (eraOf(post, message) === "modern") return modern(post, message);
        return message.method === "initialize"
          ? legacy.initialize(post, message)
          : legacy.messages(post, [message], false);
      case "notification":
        // A client of 2026-07-28 has nothing to tell us without asking: it cancels by closing the stream.
        if (eraOf(post, message) === "modern") return sendEmpty(post.turn.response, 202, post.turn.headers);
        return legacy.messages(post, [message], false);
    }
  }

  return async (post) => {
    const message: Message = Array.isArray(post.body)
      ? { kind: "invalid", id: null, problem: "a batch was taken for a message" }
      : readMessage(post.body);
    try {
      if (Array.isArray(post.body)) await legacy.messages(post, readBatch(post.body), true);
      else await route(post, message);
    } catch (error) {
      const isModern = (message.kind === "request" || message.kind === "notification") && hasEnvelope(message.params);
      throw new Refused(error, "id" in message ? message.id : null, isModern ? "modern" : "legacy");
    }
  };
}

function eraOf(post: Post, { method, params }: Extract<Message, { kind: "request" | "notification" }>): Era {
  if (hasEnvelope(params)) return "modern";
  return method === "initialize" ? "legacy" : eraOfHeader(headerOf(post.turn.request, "mcp-protocol-version"));
}

/** Most messages in one batch. */
export const MAX_BATCH = 100;

/** @throws ProtocolError -32600 */
function readBatch(values: readonly unknown[]): Message[] {
  const refused = (problem: string) => new ProtocolError(RPC.invalidRequest, problem, { status: 400 });
  if (values.length === 0) throw refused("a batch must not be empty");
  if (values.length > MAX_BATCH) throw refused(`a batch may have at most ${MAX_BATCH} messages`);
  return values.map((value) => {
    const params = isJsonObject(value) ? value["params"] : undefined;
    if (isJsonObject(params) && hasEnvelope(params))
      throw refused("2026-07-28 has no batches; send messages one by one");
    const message = readMessage(value);
    if (message.kind === "invalid") throw refused(message.problem);
    if (message.kind === "request" && message.method === "initialize") {
      throw refused("`initialize` cannot be part of a batch");
    }
    return message;
  });
}
