import type { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { Paused } from "../core/pause.ts";
import { LOG_LEVELS, type Ask, type CallIo, type ClientCan, type Resumed } from "../core/source.ts";
import { problemsOfForm } from "./elicited.ts";
import type { Exchange } from "./exchange.ts";
import { invalidParams } from "./protocol.ts";
import type { Answers } from "./request-state.ts";

/** What became of the questions of one run. */
export interface Asked {
  /** Those that came so far. */
  readonly answers: Answers;
  /** Of the last question that this client cannot be asked, or has answered by what does not fit, if there was one. */
  refused: DynamicMcpError | undefined;
  /** Set when the run goes on from a state. */
  readonly resumed?: Resumed | undefined;
}

/** A state travels to the client and back with each round. */
const MAX_STATE_CHARS = 64_000;

/**
 * The {@link CallIo} of a request.
 *
 * Older era: a question is a request on the stream of the call, and the clock stands still meanwhile. 2026-07-28: what
 * is not answered yet ends the run ({@link Paused}); the client comes back with the answers.
 *
 * What is asked with a state is asked now, in either era, whatever was answered before: who keeps a state knows what it
 * still wants to know.
 */
export function createIo(exchange: Exchange, deadline: Deadline, asked: Asked): CallIo {
  const { can, lane, era } = exchange;
  const { answers } = asked;
  const { token, passedOn } = readMeta(exchange.params["_meta"]);
  let progressed = -Infinity;

  async function ask(asks: Record<string, Ask>, state?: string): Promise<Answers> {
    const missing = missingCapabilities(Object.values(asks), can);
    if (missing) throw (asked.refused = missing);
    if (state !== undefined) return askWithState(asks, state);
    const unfit = era === "modern" ? unfitAnswer(asks, answers) : undefined;
    if (unfit) throw (asked.refused = unfit);
    const open = Object.entries(asks).filter(([key, each]) => !hasAnswer(answers, key, each));
    if (open.length > 0) {
      if (era === "modern") throw new Paused(Object.fromEntries(open));
      await askNow(Object.fromEntries(open), exchange, deadline, answers);
    }
    return Object.fromEntries(Object.keys(asks).map((key) => [key, answers[key] ?? {}]));
  }

  async function askWithState(asks: Record<string, Ask>, state: string): Promise<Answers> {
    if (state.length > MAX_STATE_CHARS) {
      throw new DynamicMcpError("TOO_LARGE", `the state of a run may have at most ${MAX_STATE_CHARS} characters`, {
        data: { chars: state.length, maxChars: MAX_STATE_CHARS },
      });
    }
    if (era === "modern") throw new Paused(asks, state);
    const given: Answers = {};
    await askNow(asks, exchange, deadline, given);
    return given;
  }

  return {
    can,
    ask,
    resumed: asked.resumed,
    logLevel: exchange.logLevel,
    meta: passedOn,
    wantsProgress: token !== undefined,
    progress(progress, total, message) {
      if (token === undefined || !(progress > progressed)) return;
      progressed = progress;
      lane.notify("notifications/progress", {
        progressToken: token,
        progress,
        ...(total === undefined ? {} : { total }),
        ...(message === undefined ? {} : { message }),
      });
    },
    log(level, data, logger) {
      const from = exchange.logLevel;
      if (from === undefined || LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(from)) return;
      lane.notify("notifications/message", { level, ...(logger === undefined ? {} : { logger }), data });
    },
  };
}

/** Asks a client of the older era everything at once and keeps the answers in `answers`. */
export async function askNow(
  asks: Record<string, Ask>,
  exchange: Exchange,
  deadline: Deadline,
  answers: Answers,
): Promise<void> {
  const resume = deadline.pause();
  try {
    await Promise.all(
      Object.entries(asks).map(async ([key, { method, params }]) => {
        const answer = await exchange.lane.ask(method, params ?? {}, deadline);
        if (!fits(method, answer)) {
          throw new DynamicMcpError("INVALID_REQUEST", `the client's answer to ${method} is not one`);
        }
        const [problem] = method === "elicitation/create" ? problemsOfForm(params, answer) : [];
        if (problem) {
          throw new DynamicMcpError(
            "INVALID_REQUEST",
            `the client's answer does not fit what it was asked: ${problem}`,
          );
        }
        answers[key] = answer;
      }),
    );
  } finally {
    resume();
  }
}

/**
 * The answers that came with a request of 2026-07-28, by the keys of the questions.
 *
 * @throws ProtocolError -32602 when they are not an object of objects
 */
export function readInputResponses(params: JsonObject): Answers {
  const given = params["inputResponses"];
  if (given === undefined) return {};
  if (!isJsonObject(given)) throw invalidParams("`inputResponses` must be an object");
  for (const [key, answer] of Object.entries(given)) {
    if (!isJsonObject(answer)) throw invalidParams(`the answer to ${JSON.stringify(key)} must be an object`);
  }
  return given as Answers;
}

/**
 * The answers to what was asked with a state, out of those that came with a request.
 *
 * Only their shape is judged: a form's schema is not kept in the state, which would grow with what a server asks. Who
 * has asked gets the content as it came, has its schema at hand, and must not trust a client anyway.
 *
 * @param methods what each question was asked by; what was not asked is left out, and so is an answer that is none
 */
export function answersTo(methods: Record<string, Ask["method"]>, given: Answers): Answers {
  const answered = Object.entries(methods).filter(([key, method]) => Object.hasOwn(given, key) && fits(method, given[key])); // prettier-ignore
  return Object.fromEntries(answered.map(([key]) => [key, given[key] ?? {}]));
}

/** An answer of the wrong shape is as good as none: the question is asked again. */
function hasAnswer(answers: Answers, key: string, { method }: Ask): boolean {
  return Object.hasOwn(answers, key) && fits(method, answers[key]);
}

/** An answer of the right shape that says what it may not say is the client's fault, and it should hear of it. */
function unfitAnswer(asks: Record<string, Ask>, answers: Answers): DynamicMcpError | undefined {
  for (const [key, { method, params }] of Object.entries(asks)) {
    const answer = answers[key];
    if (method !== "elicitation/create" || !answer || !Object.hasOwn(answers, key)) continue;
    const problems = problemsOfForm(params, answer);
    if (problems.length === 0) continue;
    const message = `the answer to ${JSON.stringify(key)} does not fit its \`requestedSchema\`: ${problems.join("; ")}`;
    return new DynamicMcpError("INVALID_ARGUMENTS", message, { data: { answer: key, problems } });
  }
  return undefined;
}

const ACTIONS = new Set<Json | undefined>(["accept", "decline", "cancel"]);

function fits(method: Ask["method"], answer: Json | undefined): boolean {
  if (!isJsonObject(answer)) return false;
  switch (method) {
    case "elicitation/create":
      return ACTIONS.has(answer["action"]);
    case "sampling/createMessage":
      return typeof answer["role"] === "string" && typeof answer["content"] === "object" && answer["content"] !== null;
    case "roots/list":
      return Array.isArray(answer["roots"]);
  }
}

function missingCapabilities(asks: Ask[], can: ClientCan): DynamicMcpError | undefined {
  const required: JsonObject = {};
  for (const { method, params } of asks) {
    if (method === "roots/list" && !can.roots) required["roots"] = {};
    if (method === "sampling/createMessage" && !can.sampling) required["sampling"] = {};
    if (method !== "elicitation/create") continue;
    const isUrl = params["mode"] === "url";
    if (!(isUrl ? can.elicitUrl : can.elicitForm)) required["elicitation"] = isUrl ? { url: {} } : { form: {} };
  }
  const names = Object.keys(required);
  if (names.length === 0) return undefined;
  const message = `this needs a client that declares ${names.join(" and ")}; this one did not`;
  return new DynamicMcpError("CAPABILITY_MISSING", message, { data: { requiredCapabilities: required } });
}

/** What is in a request's `_meta`: the token for its progress, and what is not for us. */
function readMeta(meta: Json | undefined): { token?: string | number; passedOn?: JsonObject } {
  if (!isJsonObject(meta)) return {};
  let token: string | number | undefined;
  let passedOn: JsonObject | undefined;
  for (const key in meta) {
    const value = meta[key] ?? null;
    if (key === "progressToken") {
      if (typeof value === "string" || typeof value === "number") token = value;
    } else if (!PROTOCOLS_OWN.test(key)) {
      passedOn ??= {};
      passedOn[key] = value;
    }
  }
  return { ...(token === undefined ? {} : { token }), ...(passedOn ? { passedOn } : {}) };
}

/**
 * Prefixes that the protocol keeps for itself: the second label is its name (2026-07-28, basic, `_meta`), or the first one
 * is, as revisions before had it.
 */
const PROTOCOLS_OWN = /^(?:[a-z][a-z0-9-]*\.)?(?:modelcontextprotocol|mcp)(?:\.[a-z][a-z0-9-]*)*\//i;
