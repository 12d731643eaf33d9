import type { Caller } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Relay, Upstream, Verdict } from "../upstreams/upstream.ts";
import type { ServerDefinition } from "./definition.ts";
import { asUpstreamError, disabled, iso, unavailable } from "./errors.ts";
import type { Health } from "./health.ts";
import type { LogRing } from "./log-ring.ts";
import type { FleetOptions } from "./options.ts";
import { within } from "./within.ts";

/** What a link needs of its server, and tells it. */
export interface LinkHost {
  readonly definition: ServerDefinition;
  readonly services: Pick<FleetOptions, "connect" | "client" | "now"> & { messageBytes: number };
  readonly health: Health;
  readonly ring: LogRing;
  verdict(): Verdict | undefined;
  onOpened(link: Link, upstream: Upstream): void;
  /** It could not be opened, or ended by itself. */
  onLost(link: Link): void;
  onNotification(link: Link, method: string, params: JsonObject): void;
}

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
  readonly owner: Caller | undefined;
  readonly capabilities: JsonObject;
  /** Requests under way that have a client behind them: one of them can be asked where the connection is one client's. */
  readonly relays = new Set<LinkRelay>();
  /** What needs it now: requests, waiting answers, subscriptions. */
  uses = 0;
  /** ms, of the clock that only grows. */
  lastUsedAt = performance.now();
  /** Somebody has called through it: it was not made for reading lists alone. */
  wasCalled = false;
  /** Lowest level that the server was asked to log, as an index; none when undefined. */
  logLevel: number | undefined;
  readonly #host: LinkHost;
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
    const { health, definition } = this.#host;
    const { problem, retryAt } = health;
    if (!problem || health.pauseMs() === 0) return;
    throw new DynamicMcpError(problem.code, `${problem.message}; it is tried again at ${iso(retryAt)}`, {
      data: { ...problem.data, server: definition.name, retryAt: iso(retryAt) },
      cause: problem,
    });
  }

  #begin(): void {
    const deadline = new Deadline(this.#host.definition.timeouts.connect);
    const attempt = this.#connect(deadline).finally(() => {
      deadline.close();
      this.#opening = undefined;
    });
    attempt.catch(() => {}); // whoever waits gets it; maybe nobody does any more
    this.#opening = { attempt, deadline };
  }

  async #connect(deadline: Deadline): Promise<Upstream> {
    const { definition, services, health, ring } = this.#host;
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
    const { health, ring, definition } = this.#host;
    this.#upstream = upstream;
    this.#openedAt = performance.now();
    this.logLevel = undefined;
    health.worked();
    ring.add("gateway", `connected: ${upstream.about.transport}, revision ${upstream.about.version}`);
    void upstream.ended.then(({ message }) => {
      if (this.#upstream !== upstream) return;
      this.#upstream = undefined;
      if (this.#closed) return;
      ring.add("gateway", `the connection ended: ${message}`);
      health.died(unavailable(definition.name, message), performance.now() - this.#openedAt);
      this.#host.onLost(this);
    });
    this.#host.onOpened(this, upstream);
  }

  /** A question that cannot be told to belong to one request: where all are one client's, any of them will do. */
  async #answer(method: string, params: JsonObject): Promise<JsonObject> {
    const relays = [...this.relays];
    const isOneClients = this.owner !== undefined || isOfOneChannel(relays);
    const relay = relays.findLast(({ isAttended }) => isAttended) ?? relays.at(-1);
    if (relay && isOneClients) return relay.ask(method, params);
    throw new DynamicMcpError(
      "CAPABILITY_MISSING",
      `${method} cannot be answered: it cannot be told which client it is for (\`interactive: true\` gives each client a connection of its own)`,
    );
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

/** A client of 2026-07-28 has no channel, and cannot be told from others of the same principal. */
function isOfOneChannel([first, ...rest]: readonly LinkRelay[]): boolean {
  const { principal, channel } = first?.caller ?? {};
  if (!principal || channel === undefined) return false;
  return rest.every(({ caller }) => caller.channel === channel && caller.principal.id === principal.id);
}
