import type { Answer } from "./answer.ts";
import type { Exchange } from "./exchange.ts";
import { errorReply, idInUse, type Message, type Reply } from "./json-rpc.ts";
import type { OpenChannel } from "./open-channel.ts";

type Request = Extract<Message, { kind: "request" }>;

/**
 * Answers a request of a client of the older era. While that takes, nobody else gets its id, and `notifications/cancelled`
 * and the end of the channel reach it.
 */
export async function answerOnChannel(
  answer: Answer,
  channel: OpenChannel,
  { id, method, params }: Request,
  { caller, requestId, flight, lane, memory, bytesIn }: Pick<Exchange, "caller" | "requestId" | "flight" | "lane" | "memory" | "bytesIn">, // prettier-ignore
): Promise<Reply | undefined> {
  if (!channel.take(flight)) return errorReply(id, idInUse(id), 200);
  const { can, logLevel } = channel;
  try {
    return await answer({ era: "legacy", id, method, params, caller, can, logLevel, requestId, flight, lane, memory, bytesIn }); // prettier-ignore
  } finally {
    channel.land(flight);
  }
}
