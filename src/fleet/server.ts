import { Crowd } from "../core/crowd.ts";
import type { Caller } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import type { DynamicMcpError } from "../core/errors.ts";
import type { ItemKind } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import { hideValues, type Hide } from "../core/redact.ts";
import { once } from "../core/once.ts";
import type { ElicitationDone } from "../core/source.ts";
import { createTurns } from "../core/turns.ts";
import type { Upstream, Verdict } from "../upstreams/upstream.ts";
import type { ServerDefinition } from "./definition.ts";
import { disabled, removed, unavailable } from "./errors.ts";
import type { ServerState } from "./fleet.ts";
import { createHealth, type Health } from "./health.ts";
import { Learning } from "./learning.ts";
import type { Link } from "./link.ts";
import { Links } from "./links.ts";
import { createLogFile, logPath } from "./log-file.ts";
import { createLogRing, type LogRing } from "./log-ring.ts";
import type { Offer, Personal } from "./offer.ts";
import type { FleetLimits, FleetOptions } from "./options.ts";
import type { Parked, ParkedCalls } from "./parked.ts";
import { hideInError, hideInJson } from "./results.ts";
import { stateOf } from "./state-of.ts";
import { Watches } from "./watches.ts";
import { isSameClient } from "./whose.ts";
import { within } from "./within.ts";

/** A call under way at a server. */
interface Running {
  fail(error: DynamicMcpError): void;
}

export interface ServerEvents {
  /** Its state has changed. */
  onState(): void;
  onLists(kinds: readonly ItemKind[]): void;
  onResourceUpdated(uri: string): void;
  onMessage(link: Link, params: JsonObject): void;
  onDone(done: ElicitationDone): void;
}

/** A connection that somebody used within this time is made again at once when it ends by itself, in ms. */
const IN_DEMAND_MS = 60_000;

/** One server: what it offers, its connections, and the calls at it. What it does wrong ends here. */
export class FleetServer {
  readonly limits: FleetLimits;
  readonly parked: ParkedCalls<Parked>;
  readonly links: Links;
  readonly hide: Hide;
  readonly ring: LogRing;
  readonly health: Health;
  readonly watches: Watches;
  #definition: ServerDefinition;
  #turn: ReturnType<typeof createTurns>;
  readonly #learning: Learning;
  readonly #events: ServerEvents;
  readonly #running = new Crowd<Running>();
  readonly #file: ReturnType<typeof createLogFile> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isLogged = false;

  constructor(
    definition: ServerDefinition,
    options: FleetOptions,
    limits: FleetLimits,
    parked: ParkedCalls<Parked>,
    events: ServerEvents,
  ) {
    const { log, lists, now, random } = options;
    this.#definition = definition;
    this.limits = limits;
    this.parked = parked;
    this.#events = events;
    const hide = once(() => hideValues(definition.secrets)); // takes a while, and not all are ever needed
    this.hide = (text, cut) => (definition.secrets.length === 0 ? text : hide()(text, cut));
    this.#turn = turnsOf(definition);
    this.health = createHealth({ now, random, retry: limits.retry });
    const ring = createLogRing(limits.log, now, this.hide);
    if (options.logFolder !== undefined) {
      const file = logPath(options.logFolder, definition.name);
      this.#file = createLogFile(file, { fresh: () => ring.fresh(), maxBytes: limits.log.fileBytes, log });
    }
    this.ring = {
      ...ring,
      add: (from, text) => {
        ring.add(from, text);
        this.#file?.poke();
      },
    };
    this.links = new Links({
      host: {
        definition: () => this.definition,
        services: { connect: options.connect, client: options.client, now, messageBytes: limits.messageBytes },
        health: this.health,
        ring: this.ring,
        verdict: () => this.verdict(),
        onLost: (link) => this.#lost(link),
        onNotification: (link, method, params) => this.#notified(link, method, params),
        onPersonal: (why) => this.#learning.learnt(why),
      },
      isPersonal: () => this.#learning.personal !== undefined,
      limits,
      isSingleClient: options.isSingleClient ?? false,
      onOpened: (link, upstream) => this.#opened(link, upstream),
      onIdle: () => events.onState(),
    });
    this.watches = new Watches(this.links);
    this.#learning = new Learning({
      definition: () => this.definition,
      lists,
      limits,
      health: this.health,
      ring: this.ring,
      log,
      now,
      link: () => this.links.forLists(),
      onIdle: () => this.links.watchIdle(),
      onChange: (kinds) => {
        if (kinds.length > 0) events.onLists(kinds);
        events.onState();
      },
    });
  }

  get definition(): ServerDefinition {
    return this.#definition;
  }

  get turn(): ReturnType<typeof createTurns> {
    return this.#turn;
  }

  /** Another definition of the same connections: how it is shown, and how far it may go. */
  present(definition: ServerDefinition): void {
    if (definition.maxConcurrency !== this.#definition.maxConcurrency) this.#turn = turnsOf(definition);
    this.#definition = definition;
    this.links.watchIdle(true);
  }

  get isUsable(): boolean {
    const { isEnabled, problem, target } = this.definition;
    return isEnabled && problem === undefined && target !== undefined;
  }

  get offer(): Offer | undefined {
    return this.isUsable ? this.#learning.offer : undefined;
  }

  #verdict: Verdict | undefined;

  /** How it is to be spoken to, as far as that is known. */
  verdict(): Verdict | undefined {
    const about = this.#learning.isKnown ? this.#learning.offer?.about : undefined;
    return this.#verdict ?? (about && { era: about.era, transport: about.transport });
  }

  /** Whether, and why, it needs to know whose a connection is. */
  get personal(): Personal | undefined {
    return this.#learning.personal;
  }

  state(): ServerState {
    return stateOf(this, this.#learning.isReading);
  }

  /** @param offer of the server that it takes the place of */
  assume(offer: Offer | undefined): void {
    if (offer && this.isUsable) this.#learning.assume(offer);
  }

  recall(): Promise<void> {
    return this.isUsable ? this.#learning.recall() : Promise.resolve();
  }

  /** Finds out what it offers, in the background: tries again until that works, or it is known that it cannot. */
  async learn(): Promise<void> {
    if (!this.isUsable || this.#learning.isKnown || this.#isClosed) return;
    try {
      await this.#learning.read();
    } catch {
      this.#learnLater();
    }
  }

  #learnLater(): void {
    if (this.#isClosed || this.#learning.isKnown || this.#retry || this.health.problem?.code === "UPSTREAM_LOGIN")
      return;
    // Those who call it try as well: nothing is lost when this takes a little longer.
    const waitMs = this.health.pauseMs() + RETRY_MS;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.learn();
    }, waitMs).unref();
  }

  /** @throws as `Fleet.known` */
  async known(deadline: Deadline): Promise<Offer> {
    this.assertUsable();
    const { offer } = this;
    if (offer && this.#learning.isKnown) return offer;
    return this.#hidden(within(this.#learning.read(), deadline));
  }

  /** Errors go to people as they are: what nobody may see is not in them. */
  #hidden<T>(work: Promise<T>): Promise<T> {
    const { secrets, name } = this.definition;
    if (secrets.length === 0) return work;
    return work.catch((error: unknown) => {
      throw hideInError(error, this.hide, name);
    });
  }

  async restart(deadline: Deadline): Promise<void> {
    this.assertUsable();
    this.ring.add("gateway", "restarted on request");
    const why = unavailable(this.definition.name, "it was restarted on request");
    this.#failAll(why);
    await this.links.close(why);
    this.health.forget();
    this.#verdict = undefined;
    await this.#hidden(within(this.#learning.read(), deadline));
    this.watches.resume();
  }

  assertUsable(): void {
    if (!this.isUsable) throw disabled(this.definition.name, this.definition.problem);
    if (this.#isClosed) throw removed(this.definition.name);
  }

  /** A call has begun. @returns it is over */
  begin(call: Running): () => void {
    this.#running.add(call);
    return () => void this.#running.remove(call);
  }

  /** Says something once in the life of this server's definition. */
  sayOnce(text: string): void {
    if (this.#isLogged) return;
    this.#isLogged = true;
    this.ring.add("gateway", text);
  }

  #opened(link: Link, upstream: Upstream): void {
    this.#verdict = { era: upstream.about.era, transport: upstream.about.transport };
    // Of one whose lists are not known, reading them tells.
    if (this.#learning.isKnown) this.health.worked();
    this.#events.onState();
    this.#learning.connected(link);
    this.watches.opened(link);
  }

  #lost(link: Link): void {
    this.#events.onState();
    const isInDemand = link.wasCalled && performance.now() - link.lastUsedAt < IN_DEMAND_MS;
    if (this.#isClosed || link.isClosed) return;
    if (isInDemand && !this.health.problem) this.#reopen(link);
    else if (link.uses > 0 && this.watches.isOver(link)) this.#reopenLater(link);
  }

  #reopen(link: Link): void {
    const deadline = new Deadline(this.definition.timeouts.connect);
    link
      .open(deadline)
      .catch(() => {})
      .finally(() => deadline.close());
  }

  #reopenLater(link: Link): void {
    setTimeout(() => {
      if (!this.#isClosed && !link.isClosed && this.watches.isOver(link)) this.#reopen(link);
    }, this.health.pauseMs() + RETRY_MS).unref();
  }

  #notified(link: Link, method: string, params: JsonObject): void {
    switch (method) {
      case "notifications/tools/list_changed":
      case "notifications/prompts/list_changed":
      case "notifications/resources/list_changed":
        return this.#learning.changed(link);
      case "notifications/resources/updated": {
        const { uri } = params;
        if (typeof uri === "string") this.#events.onResourceUpdated(uri);
        return;
      }
      case "notifications/elicitation/complete": {
        const { elicitationId } = params;
        const channel = typeof elicitationId === "string" ? link.takeDialog(elicitationId) : undefined;
        if (channel !== undefined) this.#events.onDone({ elicitationId: elicitationId as string, channel });
        return;
      }
      case "notifications/message":
        return this.#events.onMessage(
          link,
          this.definition.secrets.length > 0 ? hideInJson(params, this.hide) : params,
        );
    }
  }

  /** A client of the older era has other roots now: its own connections are told with its next call, in which it can be asked. */
  rootsChanged(caller: Caller): void {
    for (const link of this.links.all) if (link.owner && isSameClient(link.owner, caller)) link.roots.forget();
  }

  #failAll(error: DynamicMcpError): void {
    for (const call of this.#running) call.fail(error);
  }

  /** Its calls end with this error, its processes are gone afterwards. */
  async close(why: DynamicMcpError): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#learning.close();
    this.watches.close();
    this.#failAll(why);
    await this.links.close(why);
    this.ring.add("gateway", "closed");
    await this.#file?.flush();
  }
}

function turnsOf({ maxConcurrency }: ServerDefinition): ReturnType<typeof createTurns> {
  return createTurns(maxConcurrency > 0 ? maxConcurrency : Infinity);
}

/** So that a retry does not come a moment too early, in ms. */
const RETRY_MS = 20;
