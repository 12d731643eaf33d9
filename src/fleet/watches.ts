import { Deadline } from "../core/deadline.ts";
import { isJsonObject } from "../core/json.ts";
import type { Caller } from "../core/caller.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import type { Link } from "./link.ts";
import type { Links } from "./links.ts";

const SUBSCRIBE_MS = 30_000;

interface Watch {
  caller: Caller;
  count: number;
  link: Link | undefined;
  release: () => void;
}

/**
 * Resources of one server that somebody wants to hear of. Each is subscribed to once at the server, as long as one is left
 * who wants it, and again after the connection was made anew.
 */
export class Watches {
  readonly #links: Pick<Links, "forWatch" | "watchIdle">;
  readonly #watches = new Map<string, Watch>();

  constructor(links: Pick<Links, "forWatch" | "watchIdle">) {
    this.#links = links;
  }

  /** @returns the end of the interest; safe to call twice */
  add(uri: string, caller: Caller): () => void {
    let watch = this.#watches.get(uri);
    if (!watch) {
      watch = { caller, count: 0, link: undefined, release: () => {} };
      this.#watches.set(uri, watch);
      void this.#begin(uri, watch);
    }
    const mine = watch;
    mine.count++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      if (--mine.count === 0) this.#end(uri, mine);
    };
  }

  /** Whether a connection is needed for one of these. */
  isOver(link: Link): boolean {
    return [...this.#watches.values()].some((watch) => watch.link === link);
  }

  async #begin(uri: string, watch: Watch): Promise<void> {
    const deadline = new Deadline(SUBSCRIBE_MS);
    try {
      const link = this.#links.forWatch(watch.caller);
      watch.link = link;
      watch.release = link.use();
      if (link.upstream) await subscribe(link.upstream, "subscribe", uri);
      else await link.open(deadline); // which subscribes
    } catch {
      // The server says no, is down, or has no connection left: whoever connects next subscribes.
    } finally {
      deadline.close();
    }
  }

  /** A connection was made. */
  opened(link: Link): void {
    const { upstream } = link;
    if (!upstream) return;
    for (const [uri, watch] of [...this.#watches]) {
      if (watch.link === link) void subscribe(upstream, "subscribe", uri);
      else if (!watch.link) void this.#begin(uri, watch);
    }
  }

  /** All connections were closed: those that are watched over are made again. */
  resume(): void {
    for (const [uri, watch] of this.#watches) {
      watch.release();
      watch.link = undefined;
      void this.#begin(uri, watch);
    }
  }

  #end(uri: string, watch: Watch): void {
    if (this.#watches.get(uri) === watch) this.#watches.delete(uri);
    watch.release();
    const upstream = watch.link?.upstream;
    if (upstream) void subscribe(upstream, "unsubscribe", uri);
    this.#links.watchIdle();
  }

  close(): void {
    for (const { release } of this.#watches.values()) release();
    this.#watches.clear();
  }
}

/** A server that does not know of subscriptions is not asked; one that refuses has its reasons. */
async function subscribe(upstream: Upstream, what: "subscribe" | "unsubscribe", uri: string): Promise<void> {
  const { capabilities } = upstream.about;
  const resources = capabilities["resources"];
  if (!isJsonObject(resources) || resources["subscribe"] !== true) return;
  const deadline = new Deadline(SUBSCRIBE_MS);
  try {
    await upstream.request(`resources/${what}`, { uri }, { deadline });
  } catch {
    // Nothing depends on it but notices.
  } finally {
    deadline.close();
  }
}
