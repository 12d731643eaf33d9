import type { Caller, Principal } from "../core/caller.ts";
import { Crowd } from "../core/crowd.ts";
import type { EndReason } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { ClientCan, LogLevel } from "../core/source.ts";
import { ClientAsks } from "./client-asks.ts";
import type { NoticeOutlet } from "./exchange.ts";
import type { Flight } from "./flight.ts";
import type { RequestId } from "./json-rpc.ts";
import type { Following } from "./notices.ts";
import { assertUriLength } from "./protocol.ts";

/** Sent to a client that has not set a level. */
const DEFAULT_LOG_LEVEL: LogLevel = "info";

/**
 * A client of the older era, in this process: an HTTP session or a stdio pipe. Everything that an idle one does not
 * need is made when it is needed first: there may be thousands.
 */
export class OpenChannel {
  readonly id: string;
  readonly version: string;
  readonly can: ClientCan;
  readonly caller: Caller;
  logLevel: LogLevel = DEFAULT_LOG_LEVEL;
  /** Milliseconds since the epoch. */
  expiresAt = Infinity;
  /** When its row was last moved forward or looked at; milliseconds since the epoch. */
  touchedAt = 0;
  /** False when the store could not take it: then it lives in this process only. */
  isStored = false;
  #stream: { outlet: NoticeOutlet; following: Following } | undefined;
  #subscriptions: Set<string> | undefined;
  #flights: Crowd<Flight> | undefined;
  #asks: ClientAsks | undefined;

  constructor(id: string, principal: Principal, version: string, can: ClientCan, client: Caller["client"]) {
    this.id = id;
    this.version = version;
    this.can = can;
    this.caller = client ? { principal, channel: id, client } : { principal, channel: id };
  }

  get subscriptions(): ReadonlySet<string> {
    return this.#subscriptions ?? NONE;
  }

  set subscriptions(uris: Iterable<string>) {
    const set = new Set(uris);
    this.#subscriptions = set.size > 0 ? set : undefined;
    this.#stream?.following.update();
  }

  get asks(): ClientAsks {
    return (this.#asks ??= new ClientAsks());
  }

  /** The stream on which notices go to this client, if it opened one. */
  get stream(): NoticeOutlet | undefined {
    return this.#stream?.outlet;
  }

  /** It has a stream open or a request running. */
  get isInUse(): boolean {
    return this.#stream !== undefined || (this.#flights?.size ?? 0) > 0;
  }

  /** The newest stream wins: a client that comes back may come before its old connection is seen to be dead. */
  openStream(outlet: NoticeOutlet, following: Following): () => void {
    this.#stream?.following.end();
    this.#stream?.outlet.finish();
    const stream = { outlet, following };
    this.#stream = stream;
    return () => {
      following.end();
      if (this.#stream === stream) this.#stream = undefined;
    };
  }

  /** @returns false when the id is in use */
  take(flight: Flight): boolean {
    const flights = (this.#flights ??= new Crowd());
    if (flights.find(({ id }) => id === flight.id)) return false;
    flights.add(flight);
    return true;
  }

  flight(id: RequestId): Flight | undefined {
    return this.#flights?.find((flight) => flight.id === id);
  }

  land(flight: Flight): void {
    this.#flights?.remove(flight);
  }

  endFlights(reason: EndReason): void {
    for (const flight of this.#flights ?? []) flight.end(reason);
  }

  /** The client is gone: its runs end, its questions are off, its stream closes. */
  close(): void {
    this.#asks?.close();
    this.endFlights("client");
    this.#stream?.following.end();
    this.#stream?.outlet.finish();
    this.#stream = undefined;
  }
}

const NONE: ReadonlySet<string> = new Set();

/** Of one client. */
const MAX_SUBSCRIPTIONS = 1_000;

/** @throws OVERLOADED, ProtocolError -32602 */
export function subscribed(uris: ReadonlySet<string>, uri: string): Set<string> {
  assertUriLength(uri);
  const all = new Set(uris).add(uri);
  if (all.size <= MAX_SUBSCRIPTIONS) return all;
  throw new DynamicMcpError("OVERLOADED", `a session can be subscribed to at most ${MAX_SUBSCRIPTIONS} resources`);
}
