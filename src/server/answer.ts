import type { Logger } from "../core/source.ts";
import { redact } from "../core/redact.ts";
import type { Exchange } from "./exchange.ts";
import { Crowd } from "../core/crowd.ts";
import type { Flight } from "./flight.ts";
import { errorReply, type Reply } from "./json-rpc.ts";
import type { Methods } from "./methods.ts";
import { toWire } from "./wire-errors.ts";

/**
 * Answers one request, whichever transport brought it. Never throws.
 *
 * @returns undefined when nothing is to be sent: the client has cancelled, or a stream has taken over
 */
export interface Answer {
  (exchange: Exchange): Promise<Reply | undefined>;
  /** Requests being answered. */
  running(): number;
  /** Ends what is running, for the server stops. */
  endAll(): void;
}

export function createAnswer({
  methods,
  log,
  logsMessages,
}: {
  methods: Methods;
  log: Logger;
  /** Whether requests go to the log as they are, secrets taken out. */
  logsMessages: boolean;
}): Answer {
  const flights = new Crowd<Flight>();

  async function answer(exchange: Exchange): Promise<Reply | undefined> {
    const { era, method, id, params, requestId, flight } = exchange;
    if (logsMessages) log.debug({ requestId, era, request: redact({ id, method, params }) }, "request");
    let reply: Reply | undefined;
    flights.add(flight);
    try {
      reply = await methods.handler(era, method)(exchange);
    } catch (error) {
      const { error: shown, status } = toWire(error, era, log);
      reply = errorReply(id, shown, status);
    } finally {
      flights.remove(flight);
    }
    // Who has cancelled expects silence (basic/utilities/cancellation).
    if (flight.reason === "client") reply = undefined;
    if (logsMessages && reply) log.debug({ requestId, status: reply.status, reply: shownReply(reply) }, "reply");
    return reply;
  }

  return Object.assign(answer, {
    running: () => flights.size,
    endAll() {
      for (const flight of flights) flight.end("shutdown");
    },
  });
}

function shownReply({ head, body }: Reply): unknown {
  return body ? `${head}(${body.length} bytes)` : redact(JSON.parse(head));
}
