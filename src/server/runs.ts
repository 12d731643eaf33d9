import type { Calls } from "../calls/calls.ts";
import type { CallEnd, Wanted } from "../core/call.ts";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { AnyResult } from "../core/item.ts";
import type { Ask, Resumed } from "../core/source.ts";
import { answersTo, askNow, createIo, readInputResponses, type Asked } from "./asks.ts";
import type { Exchange } from "./exchange.ts";
import type { Lists } from "./lists.ts";
import { invalidParams } from "./protocol.ts";
import type { Answers, Binding, Kept, RequestStates } from "./request-state.ts";
import { forLegacy } from "./results.ts";
import { READ_WANTED, type RunMethod } from "./wanted.ts";

/** Rounds of questions that a run of the older era may take when its Source pauses instead of asking. */
const MAX_ROUNDS = 8;

/** Answers the methods that run something: hands them to the line and shapes what comes back for the era. */
export function createRuns({
  calls,
  lists,
  states,
  callTimeoutMs,
}: {
  calls: Calls;
  lists: Lists;
  states: () => Promise<RequestStates>;
  callTimeoutMs: number;
}) {
  async function attempt(exchange: Exchange, wanted: Wanted, asked: Asked): Promise<CallEnd> {
    const deadline = new Deadline(callTimeoutMs);
    exchange.flight.attach(deadline);
    const io = createIo(exchange, deadline, asked);
    const { caller, requestId, bytesIn } = exchange;
    try {
      return await calls.call({ wanted, caller, io, deadline, consumer: "model", requestId, bytesIn });
    } finally {
      deadline.close();
    }
  }

  async function runModern(exchange: Exchange, wanted: Wanted): Promise<object> {
    const { params, caller, method } = exchange;
    const binding: Binding = { principal: caller.principal.id, method, params };
    const asked = await readAsked(exchange, binding);
    const end = await attempt(exchange, wanted, asked);
    if (end.state === "paused") {
      const kept = keptOf(end, asked.answers);
      return {
        resultType: "input_required",
        // Neither is required, but one of them is (basic/utilities/mrtr).
        ...(Object.keys(end.asks).length > 0 ? { inputRequests: asRequests(end.asks) } : {}),
        requestState: (await states()).write(binding, kept),
      };
    }
    // The client wants to hear of what it lacks or got wrong as such, even where a tool has made a result of it.
    if (end.state === "failed" && end.code === asked.refused?.code) throw asked.refused;
    return shaped(end.result, wanted);
  }

  async function readAsked({ params, method }: Exchange, binding: Binding): Promise<Asked> {
    const { requestState } = params;
    if (requestState === undefined && params["inputResponses"] === undefined)
      return { answers: {}, refused: undefined };
    if (method === "completion/complete") throw invalidParams("this method asks nothing, so it takes no answers");
    const given = readInputResponses(params);
    if (requestState === undefined) return { answers: { ...given }, refused: undefined };
    if (typeof requestState !== "string") throw invalidParams("`requestState` must be a text");
    const { answers, resume } = (await states()).read(binding, requestState);
    if (!resume) return { answers: { ...answers, ...given }, refused: undefined };
    const others = Object.entries(given).filter(([key]) => !Object.hasOwn(resume.methods, key));
    return {
      answers: { ...answers, ...Object.fromEntries(others) },
      refused: undefined,
      resumed: { state: resume.state, answers: answersTo(resume.methods, given) },
    };
  }

  async function runLegacy(exchange: Exchange, wanted: Wanted): Promise<object> {
    const answers: Answers = {};
    let resumed: Resumed | undefined;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const end = await attempt(exchange, wanted, { answers, refused: undefined, resumed });
      if (end.state !== "paused") return legacyShaped(exchange, wanted, end.result);
      resumed = end.resume === undefined ? undefined : { state: end.resume, answers: {} };
      const waiting = new Deadline(callTimeoutMs);
      exchange.flight.attach(waiting);
      try {
        await askNow(end.asks, exchange, waiting, resumed?.answers ?? answers);
      } finally {
        waiting.close();
      }
    }
    throw new DynamicMcpError("OVERLOADED", `the run asked more than ${MAX_ROUNDS} rounds of questions`);
  }

  function legacyShaped({ caller }: Exchange, wanted: Wanted, result: AnyResult): object {
    const fit = shaped(result, wanted);
    if (wanted.kind !== "tool" || !("structuredContent" in fit)) return fit;
    return forLegacy(fit, lists.traitsOf(caller, wanted.name)?.isWrapped ?? false);
  }

  return {
    run(exchange: Exchange, method: RunMethod): Promise<object> {
      const wanted = READ_WANTED[method](exchange.params);
      return exchange.era === "modern" ? runModern(exchange, wanted) : runLegacy(exchange, wanted);
    },
  };
}

function keptOf({ asks, resume }: Extract<CallEnd, { state: "paused" }>, answers: Answers): Kept {
  if (resume === undefined) return { answers };
  const methods = Object.fromEntries(Object.entries(asks).map(([key, { method }]) => [key, method]));
  return { answers, resume: { state: resume, methods } };
}

function asRequests(asks: Record<string, Ask>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(asks).map(([key, { method, params }]) => [key, { method, params: params ?? {} }]),
  );
}

/** At most 100 values may be suggested (server/utilities/completion). */
function shaped(result: AnyResult, wanted: Wanted): AnyResult {
  if (wanted.kind !== "completion" || !("completion" in result)) return result;
  const { values, total, hasMore } = result.completion;
  if (values.length <= 100) return result;
  return { completion: { values: values.slice(0, 100), total: total ?? values.length, hasMore: hasMore ?? true } };
}
