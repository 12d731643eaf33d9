import { Deadline } from "../core/deadline.ts";
import type { DynamicMcpError } from "../core/errors.ts";
import type { ItemKind } from "../core/item.ts";
import type { Logger } from "../core/source.ts";
import type { ListStore } from "../store/store.ts";
import { FULL_CAPABILITIES, includes } from "./capabilities.ts";
import type { ServerDefinition } from "./definition.ts";
import { asUpstreamError } from "./errors.ts";
import type { Health } from "./health.ts";
import type { Link } from "./link.ts";
import type { LogRing } from "./log-ring.ts";
import { isSameShelf, KINDS, PERSONAL, withMissing, type Offer, type Personal } from "./offer.ts";
import type { FleetLimits } from "./options.ts";
import { readLists } from "./read-lists.ts";
import { readOffer, writeOffer } from "./remembered.ts";

export interface LearningOptions {
  definition(): ServerDefinition;
  lists: ListStore;
  limits: FleetLimits;
  health: Health;
  ring: LogRing;
  log: Logger;
  now: () => number;
  /** The connection to read over: one that says that everything can be asked. */
  link: () => Link;
  onIdle: () => void;
  /** Of its state at least, and of these lists. */
  onChange: (kinds: readonly ItemKind[]) => void;
}

/** What one server offers: remembered from earlier, read when it is not known, and read again when it may have changed. */
export class Learning {
  readonly #on: LearningOptions;
  #offer: Offer | undefined;
  /** It is what the server offered by its definition of before. */
  #isProvisional = false;
  /** Times that it could not be found out what is offered instead. */
  #failedTimes = 0;
  /** ms since 1970, of this process. */
  #readAt = 0;
  #reading: Promise<Offer> | undefined;
  #isStale = false;
  #timer: NodeJS.Timeout | undefined;
  #tookMs = 0;
  #isClosed = false;
  #personal: Personal | undefined;
  /** All lines were read by this process, not only those for clients that can be asked less. */
  #hasReadAll = false;
  #wantsAll = false;
  /** What it listed last to those who can be asked less than others. */
  #less: { told: string; shelves: Offer["shelves"] } | undefined;

  constructor(on: LearningOptions) {
    this.#on = on;
  }

  get offer(): Offer | undefined {
    return this.#offer;
  }

  /** Whether this is what it offers, as far as anybody knows. */
  get isKnown(): boolean {
    return this.#offer !== undefined && !this.#isProvisional;
  }

  /** Shows what it offered by its definition of before until it is known: a change of a setting takes nothing away. */
  assume(offer: Offer): void {
    this.#offer = offer;
    this.#isProvisional = true;
  }

  /** Whether, and why, it needs to know whose a connection is. */
  get personal(): Personal | undefined {
    return this.#personal;
  }

  /** It was seen to need to know that. */
  learnt(why: Personal): void {
    if (this.#personal && PERSONAL.indexOf(this.#personal) >= PERSONAL.indexOf(why)) return;
    this.#personal = why;
    this.#on.ring.add("gateway", "it asks its clients: each that can be asked gets a connection of its own");
    if (!this.#offer || this.#isProvisional) return;
    this.#offer = { ...this.#offer, personal: why };
    void this.#remember(this.#offer);
  }

  get isReading(): boolean {
    return this.#reading !== undefined;
  }

  /** What was known of it when it last ran. Never throws. */
  async recall(): Promise<void> {
    const { lists, log } = this.#on;
    const { name, digest } = this.#on.definition();
    try {
      const text = await lists.get(name, digest);
      const offer = text === undefined ? undefined : readOffer(text);
      this.#personal ??= offer?.personal;
      if (offer && !this.isKnown && !this.#isClosed) this.#take(offer);
    } catch (error) {
      log.warn({ err: error, server: name }, "what a server offers could not be remembered");
    }
  }

  /**
   * Reads the lists, unless that is under way.
   *
   * @throws UPSTREAM_*, TIMEOUT
   */
  read(link = this.#on.link()): Promise<Offer> {
    if (this.#reading) return this.#reading;
    this.#reading = this.#read(link).finally(() => {
      this.#reading = undefined;
      if (this.#isStale) this.changed(link);
      const wantsAll = this.#wantsAll && !this.#isClosed;
      this.#wantsAll = false;
      if (wantsAll) this.read().catch(() => {});
      this.#on.onChange([]);
    });
    this.#on.onChange([]);
    return this.#reading;
  }

  async #read(link: Link): Promise<Offer> {
    const { limits, health, ring, now } = this.#on;
    const definition = this.#on.definition();
    const release = link.use();
    const opening = new Deadline(definition.timeouts.connect + 1_000);
    let isOpen = false;
    try {
      const upstream = await link.open(opening);
      isOpen = true;
      this.#isStale = false;
      const beganAt = performance.now();
      const lists = await readLists(upstream, {
        definition,
        limits: limits.lists,
        pageDeadline: (kind) => new Deadline(timeoutOf(definition, kind)),
        tell: (text) => ring.add("gateway", text),
      });
      this.#tookMs = performance.now() - beganAt;
      const { era, version, transport, info, capabilities, instructions } = upstream.about;
      const about = {
        era,
        version,
        transport,
        info,
        capabilities,
        ...(instructions === undefined ? {} : { instructions }),
      };
      this.#readAt = now();
      const offer = { about, ...lists, listedAt: this.#readAt, capabilities: link.capabilities };
      if (this.#isClosed) return offer;
      health.worked();
      if (this.#take(this.#withAll(offer)) && this.#offer) void this.#remember(this.#offer);
      return this.#offer ?? offer;
    } catch (cause) {
      const error = asUpstreamError(definition.name, cause);
      if (isOpen && !this.#isClosed) this.#failed(error);
      this.#forgetAssumed();
      throw error;
    } finally {
      opening.close();
      release();
      this.#on.onIdle();
    }
  }

  /** It is there, and does not say what it has. */
  #failed(error: DynamicMcpError): void {
    const { ring, health } = this.#on;
    ring.add("gateway", `its lists could not be read: ${error.message}`);
    // With lists from earlier it can be called as before; when it has gone, that is told elsewhere.
    if (!this.isKnown) health.failed(error);
  }

  #forgetAssumed(): void {
    if (!this.#isProvisional || this.#isClosed || ++this.#failedTimes < ASSUMED_TIMES) return;
    this.#offer = undefined;
    this.#isProvisional = false;
    this.#on.onChange(KINDS);
  }

  /** A server may list less to those who can be asked less: that takes nothing away from the others. */
  #withAll(offer: Offer): Offer {
    const before = this.isKnown ? this.#offer : undefined;
    this.#hasReadAll ||= includes(offer.capabilities, FULL_CAPABILITIES);
    if (!before || includes(offer.capabilities, before.capabilities)) {
      this.#less = undefined;
      return offer;
    }
    const told = JSON.stringify(offer.capabilities);
    const last = this.#less?.told === told ? this.#less.shelves : undefined;
    this.#less = { told, shelves: offer.shelves };
    const shelves = { ...offer.shelves };
    for (const kind of KINDS) {
      const had = new Set(last?.[kind].keys);
      shelves[kind] = withMissing(offer.shelves[kind], before.shelves[kind], (key) => !had.has(key));
      // It may be that it was taken away while nobody looked.
      this.#wantsAll ||= !this.#hasReadAll && shelves[kind] !== offer.shelves[kind];
    }
    const uiUris = [...new Set([...offer.uiUris, ...before.uiUris])];
    return { ...offer, shelves, uiUris, capabilities: before.capabilities };
  }

  /** @returns whether it is worth remembering: something other than the time has changed */
  #take(offer: Offer): boolean {
    const before = this.#offer;
    const changed = KINDS.filter((kind) => !before || !isSameShelf(before.shelves[kind], offer.shelves[kind]));
    if (before) {
      // What is the same keeps its identity, and so do caches by it.
      const shelves = { ...offer.shelves };
      for (const kind of KINDS) if (!changed.includes(kind)) shelves[kind] = before.shelves[kind];
      offer = { ...offer, shelves };
    }
    this.#offer = this.#personal ? { ...offer, personal: this.#personal } : offer;
    const isNew = this.#isProvisional || !before || changed.length > 0 || aboutOf(before) !== aboutOf(offer);
    this.#isProvisional = false;
    this.#on.onChange(changed);
    return isNew;
  }

  async #remember(offer: Offer): Promise<void> {
    const { lists, log } = this.#on;
    const { name, digest } = this.#on.definition();
    try {
      await lists.put(name, digest, writeOffer(offer));
    } catch (error) {
      log.warn({ err: error, server: name }, "what a server offers could not be kept for the next start");
    }
  }

  /** A connection was made: the lists may be others than those that are known. */
  connected(link: Link): void {
    if (!this.#offer || this.#isProvisional) return void this.read().catch(() => {});
    if (this.#reading || this.#on.now() - this.#readAt < this.#on.limits.refreshMs) return;
    if (this.#readAt > 0 && !includes(link.capabilities, this.#offer.capabilities)) return;
    this.read(link).catch(() => {});
  }

  /** The server says that a list has changed. One that says so all the time is believed now and then. */
  changed(link: Link): void {
    this.#isStale = true;
    if (this.#timer || this.#reading || this.#isClosed) return;
    const { limits } = this.#on;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        if (link.upstream) this.read(link).catch(() => {});
      },
      Math.max(limits.debounceMs, this.#tookMs * CALM),
    ).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}

/** Once may be bad luck: it was being replaced, or killed. */
const ASSUMED_TIMES = 2;
/** Reading lists takes at most this part of the time. */
const CALM = 10;

function aboutOf({ about, quarantined, capabilities }: Offer): string {
  return JSON.stringify([about, quarantined, capabilities]);
}

function timeoutOf({ timeouts }: ServerDefinition, kind: ItemKind): number {
  return kind === "tool" ? timeouts.tools : kind === "prompt" ? timeouts.prompts : timeouts.resources;
}
