import type { Caller } from "../core/caller.ts";
import type { Deadline } from "../core/deadline.ts";
import type { JsonObject } from "../core/json.ts";
import type { ClientCan, LogLevel } from "../core/source.ts";
import type { Flight } from "./flight.ts";
import type { RequestId } from "./json-rpc.ts";
import type { Era } from "./protocol.ts";

/** One request of one client, whichever transport brought it. */
export interface Exchange {
  readonly era: Era;
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject;
  readonly caller: Caller;
  /** What the client can be asked, declared for this request (modern) or once (legacy). */
  readonly can: ClientCan;
  /** Log lines below this are not sent; none are when undefined. */
  readonly logLevel: LogLevel | undefined;
  /** Correlates our log, the journal and the client's own id. */
  readonly requestId: string;
  readonly flight: Flight;
  readonly lane: Lane;
  /** What is remembered of a client of the older era. */
  readonly memory: (() => ClientMemory) | undefined;
  /** Of the message as it came. */
  readonly bytesIn: number;
}

/** Reaches the client while its request is being answered. */
export interface Lane {
  /** Sends what belongs to this request ahead of its answer. May be dropped when the client cannot keep up. */
  notify(method: string, params: JsonObject): void;

  /**
   * Older era: asks the client and waits.
   *
   * @throws CAPABILITY_MISSING when nothing can reach the client, CANCELLED when it refused or went away
   */
  ask(method: string, params: JsonObject, deadline: Deadline): Promise<JsonObject>;

  /** Opens a stream of change notices that outlives the request (modern). */
  listen(open: (outlet: NoticeOutlet) => () => void): void;
}

/** Where change notices go. */
export interface NoticeOutlet {
  send(method: string, params: JsonObject): void;
  /** The end of the stream, after a last message if there is one. */
  finish(last?: string): void;
}

/** What `logging/setLevel` and `resources/subscribe` change. */
export interface ClientMemory {
  setLogLevel(level: LogLevel): Promise<void>;
  subscribe(uri: string): Promise<void>;
  unsubscribe(uri: string): Promise<void>;
}
