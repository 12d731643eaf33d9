import { randomUUID } from "node:crypto";
import type { Principal } from "../../core/caller.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { Exposure } from "../../core/exposure.ts";
import { hasEnvelope } from "../envelope.ts";
import { readMessage } from "../json-rpc.ts";
import { allowsBatches, ProtocolError, RPC } from "../protocol.ts";
import { sendEmpty } from "./post-reply.ts";
import { MAX_BATCH } from "./post.ts";
import { SsePipe, type SsePipeParts } from "./sse-pipe.ts";
import type { Streams } from "./streams.ts";
import type { Post, Turn } from "./turn.ts";

export const SSE_PATH = "/sse";
export const MESSAGES_PATH = "/messages";

interface SseParts extends SsePipeParts {
  streams: Streams;
  /** Streams of this kind at once. */
  maxStreams: number;
}

/**
 * Clients of 2024-11-05: what they say comes by POST, what they hear goes out on one stream that they have opened
 * before. A client is there as long as its stream; nothing of it is stored.
 *
 * @see Model Context Protocol 2024-11-05, basic/transports, "HTTP with SSE"
 */
export function createSse(parts: SseParts) {
  const { streams, maxStreams } = parts;
  const pipes = new Map<string, SsePipe>();

  return {
    /** @throws TOO_MANY_CHANNELS */
    open({ response, headers }: Turn, principal: Principal, exposure: Exposure | undefined): void {
      if (pipes.size >= maxStreams) {
        const message = `${maxStreams} streams are open; close one or try again later`;
        throw new DynamicMcpError("TOO_MANY_CHANNELS", message, { data: { limit: maxStreams } });
      }
      if (response.destroyed) return;
      const id = randomUUID();
      const stream = streams.open(response, headers);
      const pipe = new SsePipe(id, principal, exposure, stream, parts);
      pipes.set(id, pipe);
      response.once("close", () => {
        pipes.delete(id);
        pipe.close();
      });
      stream.send(`${MESSAGES_PATH}?sessionId=${id}`, "endpoint");
    },

    /**
     * Takes a message, or a batch, and says so; what there is to answer goes out on the stream.
     *
     * @param id of the stream, as its first event has it
     * @throws CHANNEL_NOT_FOUND when there is no such stream, or it is somebody else's
     * @throws ProtocolError -32600 (400)
     */
    take({ turn, body, bodyBytes, principal }: Post, id: string): void {
      const pipe = pipes.get(id);
      if (!pipe || pipe.principal.id !== principal.id) {
        throw new DynamicMcpError("CHANNEL_NOT_FOUND", `there is no such stream; open one with GET ${SSE_PATH}`);
      }
      const messages = readMessages(body, pipe.version);
      sendEmpty(turn.response, 202, turn.headers);
      for (const message of messages) pipe.take(message, turn.requestId, bodyBytes);
    },

    /** Each stream ends with its last answer. */
    close(): void {
      for (const pipe of [...pipes.values()]) pipe.end();
    },
  };
}

export type Sse = ReturnType<typeof createSse>;

function readMessages(body: unknown, version: string | undefined) {
  const values: unknown[] = Array.isArray(body) ? body : [body];
  if (Array.isArray(body)) {
    if (version === undefined || !allowsBatches(version)) throw refused("this protocol version has no batches");
    if (values.length === 0 || values.length > MAX_BATCH) throw refused(`a batch has 1 to ${MAX_BATCH} messages`);
  }
  return values.map((value) => {
    const message = readMessage(value);
    if (message.kind === "invalid") throw refused(message.problem);
    if (message.kind !== "response" && hasEnvelope(message.params)) {
      throw refused("2026-07-28 is not served over HTTP+SSE; use the MCP endpoint");
    }
    return message;
  });
}

function refused(problem: string): ProtocolError {
  return new ProtocolError(RPC.invalidRequest, problem, { status: 400 });
}
