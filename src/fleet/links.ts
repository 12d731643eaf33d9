import { createHash } from "node:crypto";
import type { Caller } from "../core/caller.ts";
import type { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { ClientCan } from "../core/source.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import { capabilitiesFor, FULL_CAPABILITIES, includes, isAskable } from "./capabilities.ts";
import { unavailable } from "./errors.ts";
import { Link, type LinkHost } from "./link.ts";
import type { FleetLimits } from "./options.ts";
import { isSameClient, whoseOf } from "./whose.ts";
import { within } from "./within.ts";

export interface LinksOptions {
  host: Omit<LinkHost, "onOpened" | "onClaimed">;
  limits: Pick<FleetLimits, "listIdleMs" | "dedicatedIdleMs" | "sharedLinks" | "dedicatedLinks">;
  isSingleClient: boolean;
  /** Whether the server needs to know whose a connection is. */
  isPersonal(): boolean;
  onOpened(link: Link, upstream: Upstream): void;
  /** A connection was closed because nobody needed it. */
  onIdle(): void;
}

/** Servers of 2026-07-28 keep nothing between requests: one connection for everybody. */
const MODERN = "modern";
/** When to look again at one that is in use, at the soonest. */
const IN_USE_MS = 100;

/** The connections of one server: which one a caller gets, and when one is no longer needed. */
export class Links {
  readonly #on: LinksOptions;
  readonly #host: LinkHost;
  readonly #links = new Map<string, Link>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(on: LinksOptions) {
    this.#on = on;
    this.#host = {
      ...on.host,
      onOpened: (link, upstream) => this.#opened(link, upstream),
      onClaimed: (link, caller) => this.#claimed(link, caller),
    };
  }

  get all(): Iterable<Link> {
    return this.#links.values();
  }

  get open(): Link[] {
    return [...this.#links.values()].filter(({ upstream }) => upstream);
  }

  /**
   * The connection for a caller's requests.
   *
   * @param roots of its client, where each call brings them along: the connection is for these alone
   * @throws OVERLOADED; the deadline's own error
   */
  async forCaller(caller: Caller, can: ClientCan, roots: JsonObject | undefined, deadline: Deadline): Promise<Link> {
    if (!this.#host.verdict()) {
      // The first attempt finds out how the server is to be spoken to; a second beside it would be for nothing.
      const first = [...this.#links.values()].find(({ isOpening }) => isOpening);
      if (first) await within(first.settled(), deadline);
    }
    return this.#called(caller, can, roots);
  }

  /** The same where nothing has to be waited for: on the way of nearly every call. @throws OVERLOADED */
  forCallerAtOnce(caller: Caller, can: ClientCan, roots: JsonObject | undefined): Link | undefined {
    return this.#host.verdict() ? this.#called(caller, can, roots) : undefined;
  }

  #called(caller: Caller, can: ClientCan, roots: JsonObject | undefined): Link {
    const link = this.#forCallerNow(caller, can, roots);
    link.wasCalled = true;
    return link;
  }

  #forCallerNow(caller: Caller, can: ClientCan, roots: JsonObject | undefined): Link {
    if (this.#host.verdict()?.era === MODERN) return this.#get(MODERN, FULL_CAPABILITIES, undefined);
    const capabilities = capabilitiesFor(can);
    const isDedicated =
      this.#on.isSingleClient ||
      this.#host.definition().isInteractive ||
      (this.#on.isPersonal() && isAskable(capabilities));
    const owner = isDedicated ? caller : undefined;
    const key = keyOf(owner, capabilities);
    if (!owner || !roots) return this.#get(key, capabilities, owner);
    const link = this.#get(`${key} ${digestOf(roots)}`, capabilities, owner);
    link.roots.fix(roots);
    return link;
  }

  /** The connection to read lists over: one that says that everything can be asked, for servers list what can be used. */
  forLists(): Link {
    if (this.#host.verdict()?.era === MODERN) return this.#get(MODERN, FULL_CAPABILITIES, undefined);
    const there = [...this.#links.values()].find(
      ({ upstream, isOpening, capabilities }) => (upstream ?? isOpening) && includes(capabilities, FULL_CAPABILITIES),
    );
    return there ?? this.#get(keyOf(undefined, FULL_CAPABILITIES), FULL_CAPABILITIES, undefined);
  }

  /** The connection to hear of changes over: the one that this caller's calls go through, where that is known. */
  forWatch(caller: Caller): Link {
    const own = [...this.#links.values()].filter(
      ({ owner, wasCalled }) => wasCalled && (!owner || isSameClient(owner, caller)),
    );
    return own.at(-1) ?? this.forLists();
  }

  #get(key: string, capabilities: JsonObject, owner: Caller | undefined): Link {
    const before = this.#links.get(key);
    if (before && !before.isClosed) {
      if (this.#links.size > 1) {
        this.#links.delete(key); // least recently used first
        this.#links.set(key, before);
      }
      return before;
    }
    this.#makeRoom(owner !== undefined);
    const link = new Link(this.#host, capabilities, owner);
    this.#links.set(key, link);
    return link;
  }

  /** A client chooses what it declares: it must not get as many processes as it can think of. */
  #makeRoom(isDedicated: boolean): void {
    const most = isDedicated ? this.#on.limits.dedicatedLinks : this.#on.limits.sharedLinks;
    const alike = [...this.#links].filter(([, { owner }]) => (owner !== undefined) === isDedicated);
    if (alike.length < most) return;
    const unused = alike.find(([, { uses }]) => uses === 0);
    if (!unused) {
      const { name } = this.#host.definition();
      throw new DynamicMcpError("OVERLOADED", `the server ${JSON.stringify(name)} has ${most} connections, and all are in use; call again in a moment`); // prettier-ignore
    }
    this.#drop(unused[0], unused[1]);
  }

  #opened(link: Link, upstream: Upstream): void {
    if (upstream.about.era === MODERN && this.#links.get(MODERN) !== link) {
      const key = [...this.#links].find(([, each]) => each === link)?.[0];
      const other = this.#links.get(MODERN);
      if (key !== undefined && (!other || other.uses === 0)) {
        if (other) this.#drop(MODERN, other);
        this.#links.delete(key);
        this.#links.set(MODERN, link);
      }
    }
    this.#on.onOpened(link, upstream);
    this.watchIdle();
  }

  /** What was everybody's is one client's now: that client finds it again, and nobody else does. */
  #claimed(link: Link, caller: Caller): void {
    const own = keyOf(caller, link.capabilities);
    const [key] = [...this.#links].find(([, each]) => each === link) ?? [];
    if (key === undefined || this.#links.has(own)) return;
    this.#links.delete(key);
    this.#links.set(own, link);
  }

  /** Something may have become unused. @param anew it may be so sooner than it was */
  watchIdle(anew = false): void {
    if (anew) {
      clearTimeout(this.#sweep);
      this.#sweep = undefined;
    }
    this.#sweep ??= this.#arm();
  }

  #arm(): NodeJS.Timeout | undefined {
    const waits = [...this.#links.values()].map((link) => this.#restMs(link)).filter((ms) => ms !== Infinity);
    if (waits.length === 0) return undefined;
    return setTimeout(
      () => {
        this.#sweep = undefined;
        for (const [key, link] of this.#links) if (this.#restMs(link) <= 0) this.#drop(key, link, true);
        this.watchIdle();
      },
      Math.max(10, Math.min(...waits)),
    ).unref();
  }

  /** How long from now until it can be closed, if nobody uses it until then. */
  #restMs(link: Link): number {
    const idleMs = this.#idleMs(link);
    if (idleMs === Infinity) return idleMs;
    const isInUse = link.uses > 0 || link.isOpening;
    return isInUse ? Math.max(idleMs, IN_USE_MS) : link.lastUsedAt + idleMs - performance.now();
  }

  #idleMs(link: Link): number {
    const { idleStopMs } = this.#host.definition();
    const stopMs = idleStopMs > 0 ? idleStopMs : Infinity;
    if (!link.upstream && !link.isOpening) return this.#on.limits.dedicatedIdleMs; // only a line in the map
    if (!link.wasCalled) {
      const isReplaced = [...this.#links.values()].some(({ wasCalled, upstream }) => wasCalled && upstream);
      return isReplaced ? 0 : Math.min(stopMs, this.#on.limits.listIdleMs);
    }
    const isOneClients = link.owner !== undefined && !this.#on.isSingleClient;
    const isLeft = !link.owner && this.#on.isPersonal() && isAskable(link.capabilities); // nobody gets it any more
    return isOneClients || isLeft ? Math.min(stopMs, this.#on.limits.dedicatedIdleMs) : stopMs;
  }

  #drop(key: string, link: Link, isIdle = false): void {
    this.#links.delete(key);
    const wasOpen = link.upstream !== undefined;
    void link.close(unavailable(this.#host.definition().name, "its connection was closed because it was not used"));
    if (!wasOpen) return;
    this.#host.ring.add("gateway", isIdle ? "closed: nobody used it" : "closed: another connection needed its place");
    this.#on.onIdle();
  }

  async close(why: DynamicMcpError): Promise<void> {
    clearTimeout(this.#sweep);
    this.#sweep = undefined;
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close(why)));
  }
}

function digestOf(roots: JsonObject): string {
  return createHash("sha256").update(JSON.stringify(roots)).digest("base64url");
}

function keyOf(owner: Caller | undefined, capabilities: JsonObject): string {
  let text = TEXTS.get(capabilities);
  if (text === undefined) TEXTS.set(capabilities, (text = JSON.stringify(capabilities)));
  return `${owner ? whoseOf(owner) : "shared"} ${text}`;
}

const TEXTS = new WeakMap<JsonObject, string>();
