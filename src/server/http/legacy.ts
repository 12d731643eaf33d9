import { answerOnChannel } from "../answer-on-channel.ts";
import { Flight } from "../flight.ts";
import { initializeResult, readInitialize } from "../initialize.ts";
import { resultReply, type Message } from "../json-rpc.ts";
import { take } from "../legacy-notifications.ts";
import { allowsBatches, namesModernEra, ProtocolError, RPC } from "../protocol.ts";
import { readAccept } from "./checks.ts";
import { exposed } from "./exposure.ts";
import { PostReply, sendEmpty } from "./post-reply.ts";
import type { Post, PostParts, Request } from "./turn.ts";
import { headerOf, sessionOf } from "./session.ts";

/** Messages of the older era: `initialize` makes a session, all others belong to one. */
export function createLegacy({
  answer,
  channels,
  streams,
  serverInfo,
  instructions,
  orphanMs,
  rootsChanged,
}: PostParts) {
  /**
   * A session id that comes along is that of a session which the client has given up: it is not looked at.
   *
   * @throws TOO_MANY_CHANNELS, ProtocolError
   */
  async function initialize(post: Post, { id, params }: Request): Promise<void> {
    const { request, response, headers } = post.turn;
    const named = headerOf(request, "mcp-protocol-version");
    if (named !== undefined && namesModernEra(named)) {
      const message = `${named} has no initialize; send requests with \`_meta\``;
      throw new ProtocolError(RPC.headerMismatch, message, { status: 400 });
    }
    const { version } = readInitialize(params);
    const channel = await channels.open(post.principal, version, params);
    const result = initializeResult(version, serverInfo, instructions?.(exposed(channel.caller, post.exposure)));
    const withSession = [...headers, "mcp-session-id", channel.id];
    const reply = new PostReply(response, readAccept(request.headers.accept), withSession, streams, channel);
    reply.finish([resultReply(id, JSON.stringify(result))], false);
  }

  /** @throws CHANNEL_NOT_FOUND, ProtocolError */
  async function messages(post: Post, all: readonly Message[], isBatch: boolean): Promise<void> {
    const { response, request, headers } = post.turn;
    const channel = await sessionOf(request, post.principal, channels);
    if (isBatch && !allowsBatches(channel.version)) {
      const message = `protocol version ${channel.version} has no batches; send messages one by one`;
      throw new ProtocolError(RPC.invalidRequest, message, { status: 400 });
    }
    const requests: Request[] = [];
    for (const message of all) {
      if (message.kind === "request") requests.push(message);
      else if (message.kind !== "invalid") take(channel, message, rootsChanged);
    }
    if (requests.length === 0) return sendEmpty(response, 202, headers);

    const flights = requests.map(({ id }) => new Flight(id));
    // A lost connection is not a cancel in the older era. But the answer has no other way to the client, so the run
    // goes on for no more than a moment: long enough for a write under way, not for a program that nobody waits for.
    post.turn.flights = flights;
    post.turn.orphanMs = orphanMs;
    const lane = new PostReply(response, readAccept(request.headers.accept), headers, streams, channel);
    const { requestId } = post.turn;
    const caller = exposed(channel.caller, post.exposure);
    const memory = () => channels.memoryOf(channel);
    const replies = await Promise.all(
      requests.map((message, at) =>
        answerOnChannel(answer, channel, message, {
          caller,
          requestId,
          flight: flights[at] ?? new Flight(message.id),
          lane,
          memory,
          bytesIn: post.bodyBytes,
        }),
      ),
    );
    const sent = replies.filter((reply) => reply !== undefined);
    lane.finish(sent, isBatch);
  }

  return { initialize, messages };
}
