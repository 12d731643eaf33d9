import { randomUUID } from "node:crypto";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { Paused } from "../core/pause.ts";
import type { RunContext } from "../core/source.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import { readInputRequests } from "./input-requests.ts";
import type { Link } from "./link.ts";
import type { ParkedCalls } from "./parked.ts";
import { Questions } from "./questions.ts";
import type { FleetServer } from "./server.ts";
import { markOf, readState, writeState } from "./state.ts";

/** What is asked of a server. */
export interface CallSpec {
  method: string;
  params: JsonObject;
  /** How messages call it: `the tool search`. */
  what: string;
  /** The part of the definition that limits it, and the limit in ms. */
  limit: { name: string; ms: number };
  headers?: Readonly<Record<string, string>>;
}

/** Rounds of questions in one call. */
const MAX_ROUNDS = 8;
/** A server that has no question and wants to be asked again is given this long, in ms for each round. */
const ROUND_MS = 200;

/**
 * One call at a server, from the first request to its last answer. It may outlive the run that began it: when a server of
 * the older era asks something and the client is one of 2026-07-28, the run ends paused, the call waits, and the run that
 * brings the answers goes on with it.
 */
class ServerCall {
  readonly id = randomUUID();
  readonly principal: string;
  readonly #server: FleetServer;
  readonly #spec: CallSpec;
  readonly #questions: Questions;
  readonly #deadline: Deadline;
  #ctx: RunContext;
  #outcome: Promise<JsonObject> | undefined;
  #failure: DynamicMcpError | undefined;

  constructor(server: FleetServer, spec: CallSpec, ctx: RunContext) {
    this.#server = server;
    this.#spec = spec;
    this.#ctx = ctx;
    this.principal = ctx.caller.principal.id;
    this.#deadline = new Deadline(spec.limit.ms, { wallMs: spec.limit.ms * 10 + server.limits.askTtlMs * MAX_ROUNDS });
    const hide = server.definition.secrets.length > 0 ? server.hide : undefined;
    this.#questions = new Questions(this.#deadline, ctx, () => this.#state({ parked: this.id }), hide);
  }

  /** @throws Paused when the client has to come back; what `Upstream.request` throws, TIMEOUT */
  run(first: JsonObject = {}): Promise<JsonObject> {
    return this.#untilOver(() => this.#rounds(first));
  }

  /** Goes on with a call that waited, for a run that has brought answers. */
  resume(ctx: RunContext, answers: Record<string, JsonObject>): Promise<JsonObject> {
    this.#ctx = ctx;
    return this.#untilOver(() =>
      this.#attend((paused) => {
        this.#questions.resume(ctx.io, answers);
        return Promise.race([this.#outcome as Promise<JsonObject>, paused]);
      }),
    );
  }

  async #rounds(first: JsonObject): Promise<JsonObject> {
    let params = { ...this.#spec.params, ...first };
    for (let round = 1; ; round++) {
      const result = await this.#attend((paused) =>
        // The turn is over when somebody has to be asked, though the server still has the request.
        this.#server.turn(() => Promise.race([(this.#outcome = this.#request(params)), paused]), this.#deadline),
      );
      if (result["resultType"] !== "input_required") return result;
      if (round > MAX_ROUNDS) {
        throw new DynamicMcpError("OVERLOADED", `${this.#spec.what} asked more than ${MAX_ROUNDS} rounds of questions`);
      }
      params = { ...this.#spec.params, ...(await this.#input(result, round)) };
    }
  }

  /** Of a server of 2026-07-28: what it has to get to go on. */
  async #input(result: JsonObject, round: number): Promise<JsonObject> {
    const { asks, requestState } = readInputRequests(result, this.#server.definition.name);
    const goOn = this.#deadline.pause();
    try {
      const answers = await this.#ctx.io.ask(asks, this.#state(requestState === undefined ? {} : { requestState }));
      if (Object.keys(asks).length === 0) await new Promise((resolve) => setTimeout(resolve, ROUND_MS * round));
      this.#ctx.deadline.throwIfEnded();
      return inputOf(answers, requestState);
    } finally {
      goOn();
    }
  }

  /** The server is going away. */
  fail(error: DynamicMcpError): void {
    this.#failure ??= error;
    this.#deadline.end("shutdown");
  }

  expire(): void {
    this.#deadline.end("client");
  }

  /** Ends when this run's deadline does. */
  async #attend(work: (paused: Promise<never>) => Promise<JsonObject>): Promise<JsonObject> {
    const { deadline } = this.#ctx;
    const detach = deadline.onEnd(() => this.#deadline.end(deadline.reason ?? "client"));
    try {
      return await work(this.#questions.paused());
    } finally {
      detach();
    }
  }

  async #untilOver(work: () => Promise<JsonObject>): Promise<JsonObject> {
    let isParked = false;
    const over = this.#server.begin(this);
    try {
      return await work();
    } catch (error) {
      if (error instanceof Paused && this.#questions.isWaiting) {
        isParked = true;
        this.#outcome?.catch(() => {}); // the run that comes back gets it
        this.#server.parked.add(this);
      }
      throw this.#explained(error);
    } finally {
      over();
      if (!isParked) this.#questions.end();
    }
  }

  async #request(params: JsonObject): Promise<JsonObject> {
    const server = this.#server;
    const { caller, io } = this.#ctx;
    server.assertUsable();
    const link = await server.links.forCaller(caller, io.can, this.#deadline);
    const release = link.use();
    link.relays.add(this.#questions);
    try {
      const upstream = await link.open(this.#deadline);
      await this.#wantLog(link, upstream);
      const { method, headers } = this.#spec;
      return await upstream.request(method, params, {
        deadline: this.#deadline,
        relay: this.#questions,
        ...(headers && upstream.about.era === "modern" ? { headers } : {}),
      });
    } finally {
      link.relays.delete(this.#questions);
      release();
      server.links.watchIdle();
    }
  }

  /** Servers of the older era are told once how much to log; later ones with each request. */
  async #wantLog(link: Link, upstream: Upstream): Promise<void> {
    const level = this.#questions.logIndex;
    const { era, capabilities } = upstream.about;
    if (level === undefined || era !== "legacy" || !capabilities["logging"]) return;
    if (link.logLevel !== undefined && link.logLevel <= level) return;
    link.logLevel = level;
    const deadline = this.#deadline.child(LOG_LEVEL_MS);
    try {
      await upstream.request("logging/setLevel", { level: this.#questions.logLevel ?? "info" }, { deadline });
    } catch {
      // Its own affair: the call matters more than what is logged about it.
    } finally {
      deadline.close();
    }
  }

  #state(more: { parked?: string; requestState?: string }): string {
    const { method, params } = this.#spec;
    return writeState({ server: this.#server.definition.name, mark: markOf(method, params), ...more });
  }

  #explained(error: unknown): unknown {
    if (this.#failure && !(error instanceof Paused)) return this.#failure;
    if (!hasCode(error, "TIMEOUT") || this.#deadline.reason !== "deadline" || this.#ctx.deadline.reason) return error;
    const { what, limit } = this.#spec;
    const { name } = this.#server.definition;
    return new DynamicMcpError(
      "TIMEOUT",
      `the server ${JSON.stringify(name)} did not answer ${what} within ${limit.ms} ms, which is \`timeout.${limit.name}\` of its definition`,
      { data: { server: name, limitMs: limit.ms } },
    );
  }
}

const LOG_LEVEL_MS = 5_000;

function inputOf(answers: Record<string, JsonObject>, requestState: string | undefined): JsonObject {
  return {
    ...(Object.keys(answers).length > 0 ? { inputResponses: answers } : {}),
    ...(requestState === undefined ? {} : { requestState }),
  };
}

/**
 * Calls a server, or goes on with a call of an earlier run when this run brings answers for it.
 *
 * @throws INVALID_REQUEST when that call is no longer there; what `ServerCall.run` throws
 */
export async function callServer(server: FleetServer, spec: CallSpec, ctx: RunContext): Promise<JsonObject> {
  const { resumed } = ctx.io;
  const state = resumed && readState(resumed.state);
  const isOurs = state?.server === server.definition.name && state.mark === markOf(spec.method, spec.params);
  if (!resumed || !isOurs) return new ServerCall(server, spec, ctx).run();
  if (state.parked === undefined)
    return new ServerCall(server, spec, ctx).run(inputOf(resumed.answers, state.requestState));
  const call = (server.parked as ParkedCalls<ServerCall>).take(state.parked, ctx.caller.principal.id);
  if (!call) {
    throw new DynamicMcpError("INVALID_REQUEST", `${spec.what} no longer waits for these answers: they came too late, or the server was restarted meanwhile; call it again without them`, { data: { reason: "expired" } }); // prettier-ignore
  }
  return call.resume(ctx, resumed.answers);
}
