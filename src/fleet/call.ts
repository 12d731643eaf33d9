import { randomUUID } from "node:crypto";
import type { Caller } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { Paused } from "../core/pause.ts";
import { RemoteError } from "../core/remote-error.ts";
import type { ClientCan, RunContext } from "../core/source.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import { lost } from "./errors.ts";
import { readInputRequests } from "./input-requests.ts";
import type { Link } from "./link.ts";
import type { ParkedCalls } from "./parked.ts";
import { Questions } from "./questions.ts";
import type { FleetServer } from "./server.ts";
import { markOf, readState, writeState, type CallState } from "./state.ts";
import { within } from "./within.ts";

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
  readonly principal: string;
  readonly #server: FleetServer;
  readonly #spec: CallSpec;
  readonly #questions: Questions;
  readonly #deadline: Deadline;
  readonly #roots: JsonObject | undefined;
  #id: string | undefined;
  #ctx: RunContext;
  #outcome: Promise<JsonObject> | undefined;
  #failure: DynamicMcpError | undefined;

  /** @param roots of the client, where it has brought them along */
  constructor(server: FleetServer, spec: CallSpec, ctx: RunContext, roots: JsonObject | undefined) {
    this.#server = server;
    this.#roots = roots;
    this.#spec = spec;
    this.#ctx = ctx;
    this.principal = ctx.caller.principal.id;
    this.#deadline = new Deadline(spec.limit.ms, { wallMs: spec.limit.ms * 10 + server.limits.askTtlMs * MAX_ROUNDS });
    const hide = server.definition.secrets.length > 0 ? server.hide : undefined;
    this.#questions = new Questions(this.#deadline, ctx, () => this.#state({ parked: this.id }), hide);
  }

  /** Made for a call that waits, which few do. */
  get id(): string {
    return (this.#id ??= randomUUID());
  }

  /** @throws Paused when the client has to come back; what `Upstream.request` throws, TIMEOUT */
  run(first: JsonObject = {}): Promise<JsonObject> {
    return this.#untilOver(() => this.#rounds(first));
  }

  /** Goes on with a call that waited, for a run that has brought answers. */
  resume(ctx: RunContext, answers: Record<string, JsonObject>): Promise<JsonObject> {
    this.#ctx = ctx;
    return this.#untilOver(() =>
      this.#attend(() => {
        const outcome = this.#questions.orPaused(this.#outcome as Promise<JsonObject>);
        this.#questions.resume(ctx.io, answers);
        return outcome;
      }),
    );
  }

  async #rounds(first: JsonObject): Promise<JsonObject> {
    let params = { ...this.#spec.params, ...first };
    for (let round = 1; ; round++) {
      const result = await this.#attend(() =>
        // The turn is over when somebody has to be asked, though the server still has the request.
        this.#server.turn(() => this.#questions.orPaused((this.#outcome = this.#request(params))), this.#deadline),
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
  async #attend(work: () => Promise<JsonObject>): Promise<JsonObject> {
    const { deadline } = this.#ctx;
    const detach = deadline.onEnd(() => this.#deadline.end(deadline.reason ?? "client"));
    try {
      return await work();
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

  /** What has met a connection that was just ending, and cannot have been read, is sent once more over a new one. */
  async #request(params: JsonObject): Promise<JsonObject> {
    try {
      return await this.#send(params);
    } catch (error) {
      if (!(error instanceof Unsent)) throw error;
      return await this.#send(params).catch((second: unknown) => {
        throw second instanceof Unsent ? second.cause : second;
      });
    }
  }

  /** @throws Unsent */
  async #send(params: JsonObject): Promise<JsonObject> {
    const server = this.#server;
    const { caller, io } = this.#ctx;
    server.assertUsable();
    const can = mayAsk(this.#spec, caller) ? io.can : NOTHING;
    const link =
      server.links.forCallerAtOnce(caller, can, this.#roots) ??
      (await this.#patiently(() => server.links.forCaller(caller, can, this.#roots, this.#deadline)));
    const release = link.use();
    link.relays.add(this.#questions);
    this.#questions.link = link;
    try {
      const isReady = (link.hasServed || server.personal !== "roots at start") && !link.roots.areOld;
      const upstream = (isReady && link.upstream) || (await this.#open(link));
      if (this.#wantsOtherLog(link, upstream)) await this.#setLog(link, upstream);
      const { method, headers } = this.#spec;
      try {
        const result = await upstream.request(method, params, {
          deadline: this.#deadline,
          relay: this.#questions,
          ...(headers && upstream.about.era === "modern" ? { headers } : {}),
        });
        link.hasServed = true;
        return result;
      } catch (error) {
        if (error instanceof RemoteError) link.noteDialogs(error.rpc.data, caller);
        if (!hasCode(error, "UPSTREAM_UNAVAILABLE")) throw error;
        const told = lost(server.definition.name, error);
        if (error.data["isUnhandled"] === true && (await hasEnded(upstream))) throw new Unsent(told);
        throw told;
      }
    } finally {
      link.relays.remove(this.#questions);
      release();
      server.links.watchIdle();
    }
  }

  /**
   * Connects. A server that asks for roots as soon as it is connected, or hears that they are others, has got those of who
   * calls before it gets the call.
   */
  async #open(link: Link): Promise<Upstream> {
    const { personal } = this.#server;
    const hasOld = link.upstream !== undefined && link.roots.areOld;
    const asks = personal === "roots at start" || (hasOld && personal === "roots");
    const isTold = asks && link.owner !== undefined && link.capabilities["roots"] !== undefined;
    if (isTold && !link.roots.areKnown) {
      const ask = () => this.#questions.put("roots/list", {});
      await this.#patiently(() => link.roots.prepare(ask).catch(() => {})); // it may have none to tell of
    }
    const upstream = await this.#patiently(() => link.open(this.#deadline));
    if (hasOld && link.roots.areOld) {
      link.roots.restart();
      upstream.notify("notifications/roots/list_changed", {});
    }
    if (isTold && upstream.about.era === "legacy") {
      await this.#patiently(() => within(link.roots.settled(), this.#deadline));
    }
    return upstream;
  }

  /** A start has a limit of its own: its time is not the tool's. */
  async #patiently<T>(start: () => Promise<T>): Promise<T> {
    const goOn = this.#deadline.pause();
    try {
      return await start();
    } finally {
      goOn();
    }
  }

  /** Servers of the older era are told once how much to log; later ones with each request. */
  #wantsOtherLog(link: Link, upstream: Upstream): boolean {
    const level = this.#questions.logIndex;
    const { era, capabilities } = upstream.about;
    if (level === undefined || era !== "legacy" || !capabilities["logging"]) return false;
    return link.logLevel === undefined || link.logLevel > level;
  }

  async #setLog(link: Link, upstream: Upstream): Promise<void> {
    link.logLevel = this.#questions.logIndex;
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
    return stateOf(this.#server, this.#spec, more);
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
/** A connection over which nothing can be sent is seen to have ended within this time, in ms. */
const ENDS_WITHIN_MS = 250;

/** A request that the server cannot have read. The cause is what its caller is to be told. */
class Unsent extends Error {
  override readonly cause: DynamicMcpError;

  constructor(cause: DynamicMcpError) {
    super(cause.message);
    this.cause = cause;
  }
}

async function hasEnded(upstream: Upstream): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ENDS_WITHIN_MS, false)));
  const isOver = await Promise.race([upstream.ended.then(() => true), late]);
  clearTimeout(timer);
  return isOver;
}

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
  if (!resumed || !isOurs) {
    const roots = bringsRoots(server, spec, ctx) ? await askForRoots(server, spec, ctx) : undefined;
    return new ServerCall(server, spec, ctx, roots).run();
  }
  const { answers } = resumed;
  if (state.wantsRoots) return new ServerCall(server, spec, ctx, answers[ROOTS_KEY] ?? { roots: [] }).run();
  if (state.parked === undefined) {
    return new ServerCall(server, spec, ctx, undefined).run(inputOf(answers, state.requestState));
  }
  const call = (server.parked as ParkedCalls<ServerCall>).take(state.parked, ctx.caller.principal.id);
  if (!call) {
    throw new DynamicMcpError("INVALID_REQUEST", `${spec.what} no longer waits for these answers: they came too late, or the server was restarted meanwhile; call it again without them`, { data: { reason: "expired" } }); // prettier-ignore
  }
  return call.resume(ctx, answers);
}

const ROOTS_KEY = "roots";

/**
 * Whether the client has to bring its roots along: a server that asks for roots at its start, and keeps them, is called for
 * one that cannot be told from others like it. Such a client does so with each call, as it would for a server of its own
 * revision, and the call goes over a connection for just these. Calls within others go over one where the roots are asked
 * for once: a program must not run again for each.
 */
function bringsRoots(server: FleetServer, spec: CallSpec, { caller, io, depth }: RunContext): boolean {
  if (caller.channel !== undefined || depth > 0 || !io.can.roots || !mayAsk(spec, caller)) return false;
  const isModern = server.verdict()?.era === "modern"; // which asks for itself
  return !isModern && server.personal === "roots at start";
}

/** @throws Paused when the client has to come back with them */
async function askForRoots(server: FleetServer, spec: CallSpec, { io }: RunContext): Promise<JsonObject | undefined> {
  const answers = await io.ask({ [ROOTS_KEY]: { method: "roots/list" } }, stateOf(server, spec, { wantsRoots: true }));
  return answers[ROOTS_KEY];
}

/** In 2026-07-28 a completion asks nothing. */
function mayAsk({ method }: CallSpec, { channel }: Caller): boolean {
  return channel !== undefined || method !== "completion/complete";
}

const NOTHING: ClientCan = { elicitForm: false, elicitUrl: false, sampling: false, roots: false };

function stateOf(server: FleetServer, { method, params }: CallSpec, more: Partial<CallState>): string {
  return writeState({ server: server.definition.name, mark: markOf(method, params), ...more });
}
