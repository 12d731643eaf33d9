import { backoffMs } from "../../core/backoff.ts";
import { Deadline } from "../../core/deadline.ts";
import { RemoteError } from "../../core/remote-error.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { Peer } from "./peer.ts";
import { RPC } from "./protocol.ts";

/** A server that declares changes and does not acknowledge has no say in how long we wait. */
const ACKNOWLEDGE_MS = 10_000;
const DAY_MS = 24 * 60 * 60_000;
const RETRY = { baseMs: 1_000, capMs: 60_000 };
/** One that was acknowledged and held this long was a good one. */
const GOOD_MS = 10_000;
/** Never acknowledged: it is left alone after as many tries. */
const MAX_UNHEARD = 5;
const MAX_URIS = 1_000;

/**
 * The stream of changes of a server of 2026-07-28 (`subscriptions/listen`). Nobody waits for it. It is opened again when it
 * ends, and anew when other resources are watched; the old one goes when the new one is acknowledged.
 */
export class Listening {
  readonly #peer: Peer;
  readonly #lists: JsonObject;
  readonly #hasResources: boolean;
  readonly #uris = new Set<string>();
  #stream: Stream | undefined;
  #older: Stream | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Streams in a row that were no good, and that were not acknowledged. */
  #failures = 0;
  #unheard = 0;
  #isOver = false;

  constructor(peer: Peer, capabilities: JsonObject) {
    this.#peer = peer;
    const has = (list: string, flag: string) => {
      const declared = capabilities[list];
      return isJsonObject(declared) && declared[flag] === true;
    };
    this.#lists = {};
    for (const list of ["tools", "prompts", "resources"]) {
      if (has(list, "listChanged")) this.#lists[`${list}ListChanged`] = true;
    }
    this.#hasResources = has("resources", "subscribe");
  }

  start(): void {
    if (Object.keys(this.#lists).length > 0) this.#schedule(0);
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#older?.end();
    this.#stream?.end();
  }

  watch(uri: string, isWanted: boolean): void {
    if (!this.#hasResources || this.#uris.has(uri) === isWanted || (isWanted && this.#uris.size >= MAX_URIS)) return;
    if (isWanted) this.#uris.add(uri);
    else this.#uris.delete(uri);
    this.#failures = this.#unheard = 0;
    this.#schedule(0);
  }

  acknowledged(): void {
    this.#unheard = 0;
    this.#stream?.heard();
    this.#older?.end();
    this.#older = undefined;
  }

  #schedule(waitMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    this.#timer = setTimeout(() => this.#open(), waitMs);
    this.#timer.unref();
  }

  #open(): void {
    this.#older?.end();
    this.#older = this.#stream;
    this.#stream = undefined;
    const notifications: JsonObject = { ...this.#lists };
    if (this.#uris.size > 0) notifications["resourceSubscriptions"] = [...this.#uris];
    if (Object.keys(notifications).length === 0) return this.#older?.end();
    const stream = new Stream();
    this.#stream = stream;
    void this.#peer
      .say("modern", "subscriptions/listen", { notifications }, { deadline: stream.deadline })
      .catch((error: unknown) => error)
      .then((end) => {
        const wasEnded = stream.deadline.reason === "client";
        stream.end();
        if (this.#stream !== stream || this.#isOver || wasEnded) return;
        this.#stream = undefined;
        if (end instanceof RemoteError && end.rpc.code === RPC.methodNotFound) return;
        if (!stream.isHeard && ++this.#unheard >= MAX_UNHEARD) return;
        if (stream.isHeard && performance.now() - stream.openedAt >= GOOD_MS) this.#failures = 0;
        this.#failures++;
        this.#schedule(backoffMs(this.#failures, RETRY, Math.random));
      });
  }
}

class Stream {
  readonly deadline = new Deadline(DAY_MS, { wallMs: DAY_MS });
  readonly openedAt = performance.now();
  isHeard = false;
  readonly #timer = setTimeout(() => this.deadline.end("deadline"), ACKNOWLEDGE_MS).unref();

  heard(): void {
    this.isHeard = true;
    clearTimeout(this.#timer);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.deadline.end("client");
    this.deadline.close();
  }
}
