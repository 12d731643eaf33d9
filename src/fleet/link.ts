import type { Caller } from "../core/caller.ts";
import { Crowd } from "../core/crowd.ts";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { Relay, Upstream, Verdict } from "../upstreams/upstream.ts";
import type { ServerDefinition } from "./definition.ts";
import { asUpstreamError, disabled, iso, lost, unavailable } from "./errors.ts";
import type { Health } from "./health.ts";
import type { LogRing } from "./log-ring.ts";
import type { Personal } from "./offer.ts";
import type { FleetOptions } from "./options.ts";
import { Roots } from "./roots.ts";
import { areOneClients, isSameClient } from "./whose.ts";
import { within } from "./within.ts";

/** What a link needs of its server, and tells it. */
export interface LinkHost {
  definition(): ServerDefinition;
  readonly services: Pick<FleetOptions, "connect" | "client" | "now"> & { messageBytes: number };
  readonly health: Health;
  readonly ring: LogRing;
  verdict(): Verdict | undefined;
  onOpened(link: Link, upstream: Upstream): void;
  /** It could not be opened, or ended by itself. */
  onLost(link: Link): void;
  onNotification(link: Link, method: string, params: JsonObject): void;
  /** The server was seen to need to know whose its connections are. */
  onPersonal(why: Personal): void;
  /** The connection, which was everybody's, is this caller's from now on. */
  onClaimed(link: Link, caller: Caller): void;
}

/** A connection that ended sooner, and without having answered a call, says that the server keeps dying; in ms. */
const STABLE_MS = 5_000;

/** Dialogs elsewhere that are remembered until they are done. */
const MAX_DIALOGS = 200;
const MAX_DIALOG_ID_CHARS = 500;

interface LinkRelay extends Relay {
  readonly caller: Caller;
  /** Its client waits now, and can be asked. */
  readonly isAttended: boolean;
}

/**
 * A connection to a server that may come and go: made when somebody needs it, by one attempt for all who wait, and made
 * again after it ended.
 */
export class Link {
  /** Whom it belongs to; undefined: everybody whose clients can be asked the same. */
  owner: Caller | undefined;
  /** Of its owner's client. */
  readonly roots = new Roots();
  readonly capabilities: JsonObject;
  /** Requests under way that have a client behind them: one of them can be asked where the connection is one client's. */
  readonly relays = new Crowd<LinkRelay>();
  /** What needs it now: requests, waiting answers, subscriptions. */
  uses = 0;
  /** ms, of the clock that only grows. */
  lastUsedAt = performance.now();
  /** Somebody has called through it: it was not made for reading lists alone. */
  wasCalled = false;
  /** It has answered a call since it was connected. */
  hasServed = false;
  /** Lowest level that the server was asked to log, as an index; none when undefined. */
  logLevel: number | undefined;
  readonly #host: LinkHost;
  /** Channels by the ids of what persons were sent to URLs for. */
  readonly #dialogs = new Map<string, string>();
  #upstream: Upstream | undefined;
  #opening: { attempt: Promise<Upstream>; deadline: Deadline } | undefined;
  #openedAt = 0;
  #closed: DynamicMcpError | undefined;

  constructor(host: LinkHost, capabilities: JsonObject, owner: Caller | undefined) {
    this.#host = host;
    this.capabilities = capabilities;
    this.owner = owner;
  }

  /** While it is connected. */
  get upstream(): Upstream | undefined {
    return this.#upstream;
  }

  get isOpening(): boolean {
    return this.#opening !== undefined;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Waits for an attempt that is under way, whatever comes of it. */
  async settled(): Promise<void> {
    await this.#opening?.attempt.catch(() => {});
  }

  /**
   * Connects, unless it is connected.
   *
   * @throws UPSTREAM_*: also at once, while the server is left alone after failures; the deadline's own error
   */
  async open(deadline: Deadline): Promise<Upstream> {
    if (this.#upstream) return this.#upstream;
    if (this.#closed) throw this.#closed;
    if (!this.#opening) {
      this.#assertMayTry();
      this.#begin();
    }
    const { attempt } = this.#opening as unknown as { attempt: Promise<Upstream> };
    return within(attempt, deadline);
  }

  #assertMayTry(): void {
    const { health } = this.#host;
    const { problem, retryAt } = health;
    if (!problem || health.pauseMs() === 0) return;
    const { message } = problem.cause instanceof DynamicMcpError ? problem.cause : problem;
    throw new DynamicMcpError(problem.code, `${message}; it is tried again at ${iso(retryAt)}`, {
      data: { ...problem.data, server: this.#host.definition().name, retryAt: iso(retryAt) },
      cause: problem,
    });
  }

  #begin(): void {
    const deadline = new Deadline(this.#host.definition().timeouts.connect);
    const attempt = this.#connect(deadline).finally(() => {
      deadline.close();
      this.#opening = undefined;
    });
    attempt.catch(() => {}); // whoever waits gets it; maybe nobody does any more
    this.#opening = { attempt, deadline };
  }

  async #connect(deadline: Deadline): Promise<Upstream> {
    const { services, health, ring } = this.#host;
    const definition = this.#host.definition();
    const { name, target } = definition;
    if (!target) throw disabled(name, definition.problem);
    const known = this.#host.verdict();
    let upstream: Upstream;
    try {
      upstream = await services.connect(target, {
        name,
        deadline,
        ...(known ? { known } : {}),
        capabilities: this.capabilities,
        client: services.client,
        maxMessageBytes: services.messageBytes,
        onNotification: (method, params) => this.#host.onNotification(this, method, params),
        onQuestion: (method, params) => this.#answer(method, params),
        onLine: (stream, text) => ring.add(stream, text),
      });
    } catch (cause) {
      if (this.#closed) throw this.#closed;
      const error = hasCode(cause, "TIMEOUT")
        ? unavailable(name, `it did not answer within ${definition.timeouts.connect} ms`, undefined, cause)
        : hasCode(cause, "UPSTREAM_UNAVAILABLE")
          ? lost(name, cause)
          : asUpstreamError(name, cause);
      ring.add("gateway", `could not connect: ${error.message}`);
      health.failed(error);
      this.#host.onLost(this);
      throw error;
    }
    if (this.#closed) {
      await upstream.close();
      throw this.#closed;
    }
    this.#take(upstream);
    return upstream;
  }

  #take(upstream: Upstream): void {
    const { health, ring } = this.#host;
    this.#upstream = upstream;
    this.roots.restart();
    this.#openedAt = performance.now();
    this.logLevel = undefined;
    this.hasServed = false;
    health.connected();
    ring.add("gateway", `connected: ${upstream.about.transport}, revision ${upstream.about.version}`);
    void upstream.ended.then(({ message }) => {
      if (this.#upstream !== upstream) return;
      this.#upstream = undefined;
      if (this.#closed) return;
      ring.add("gateway", `the connection ended: ${message}`);
      const wasOfUse = this.hasServed || performance.now() - this.#openedAt >= STABLE_MS;
      health.died(unavailable(this.#host.definition().name, message), wasOfUse);
      this.#host.onLost(this);
    });
    this.#host.onOpened(this, upstream);
  }

  /** A question that cannot be told to belong to one request: where all are one client's, any of them will do. */
  async #answer(method: string, params: JsonObject): Promise<JsonObject> {
    const relays = [...this.relays];
    const relay = relays.findLast(({ isAttended }) => isAttended) ?? relays.at(-1);
    if (!relay && method === "roots/list") {
      this.#host.onPersonal("roots at start");
      return this.roots.tell(undefined);
    }
    if (relay && (this.owner || areOneClients(relays.map(({ caller }) => caller)))) return relay.ask(method, params);
    if (relay) this.#host.onPersonal(method === "roots/list" ? "roots" : "unclear");
    throw untold(method);
  }

  /**
   * The server asks for the roots of the client behind one of its calls. It keeps them for all its calls: the connection
   * is that client's alone from now on.
   *
   * @throws CAPABILITY_MISSING when others are using it; what `ask` throws
   */
  async tellRoots(relay: LinkRelay, ask: () => Promise<JsonObject>): Promise<JsonObject> {
    this.#host.onPersonal("roots");
    if (!this.owner) {
      if (![...this.relays].every(({ caller }) => isSameClient(caller, relay.caller))) throw untold("roots/list");
      this.owner = relay.caller;
      this.#host.onClaimed(this, relay.caller);
    }
    return this.roots.tell(ask);
  }

  /** An error of the server that sends a person to URLs first (`URLElicitationRequiredError`): who hears that they are done. */
  noteDialogs(data: Json | undefined, { channel }: Caller): void {
    const all = isJsonObject(data) && Array.isArray(data["elicitations"]) ? data["elicitations"] : [];
    for (const each of all.slice(0, MAX_DIALOGS)) if (isJsonObject(each)) this.noteDialog(each, channel);
  }

  /** A person was sent to a URL in this channel. */
  noteDialog({ mode, elicitationId: id }: JsonObject, channel: string | undefined): void {
    if (mode !== "url" || typeof id !== "string" || id.length > MAX_DIALOG_ID_CHARS || channel === undefined) return;
    this.#dialogs.delete(id);
    this.#dialogs.set(id, channel);
    const [oldest] = this.#dialogs.keys();
    if (this.#dialogs.size > MAX_DIALOGS && oldest !== undefined) this.#dialogs.delete(oldest);
  }

  /** That is done. @returns the channel that is waiting to hear of it, once */
  takeDialog(id: string): string | undefined {
    const channel = this.#dialogs.get(id);
    this.#dialogs.delete(id);
    return channel;
  }

  /** Somebody needs it from now on. @returns they do no more; safe to call twice */
  use(): () => void {
    this.uses++;
    this.lastUsedAt = performance.now();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.uses--;
      this.lastUsedAt = performance.now();
    };
  }

  /** For good: who waits for it, or uses it, gets this error. */
  async close(why: DynamicMcpError): Promise<void> {
    this.#closed ??= why;
    this.#opening?.deadline.end("shutdown");
    const upstream = this.#upstream;
    this.#upstream = undefined;
    await Promise.all([upstream?.close(), this.settled()]);
  }
}

function untold(method: string): DynamicMcpError {
  return new DynamicMcpError(
    "CAPABILITY_MISSING",
    `${method} cannot be answered: it cannot be told which client it is for (\`interactive: true\` gives each client a connection of its own from the start)`,
  );
}
