import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../../core/errors.ts";
import { RemoteError } from "../../core/remote-error.ts";
import { type HttpPool, type HttpProxies, openHttpPool } from "../../machine/net/http-pool.ts";
import { discover, initialize } from "../peer/negotiate.ts";
import { Peer } from "../peer/peer.ts";
import type { WireMessage } from "../peer/wire.ts";
import type { Connect, ConnectOptions, Era, Upstream, UpstreamTarget } from "../upstream.ts";
import { createSite, type Site } from "./site.ts";
import { openSseWire } from "./sse-wire.ts";
import { createStreamableWire, type StreamableWire } from "./streamable-wire.ts";
import { type Failure, mayTryNext, OLDER_STATUSES, type Way, waysFor } from "./ways.ts";

type HttpTarget = Exclude<UpstreamTarget, { transport: "stdio" }>;

/** Longest that a server may think about what it may not know at all, in ms. */
const PROBE_MS = 5_000;
const CONNECT_MS = 10_000;

/**
 * Connects over HTTP: finds out which era and which transport the server speaks, by asking in the newest way first.
 *
 * @param proxies of the environment; this machine itself is never reached through one
 */
export function connectHttpThrough(proxies: HttpProxies | undefined): Connect {
  return async (target, options) => {
    if (target.transport === "stdio") throw new TypeError("a process is not reached over HTTP");
    if (!URL.canParse(target.url))
      throw new DynamicMcpError("UPSTREAM_INVALID", `the url of ${options.name} is not one`);
    const ways = waysFor(target.transport, options.known);
    const failures: Failure[] = [];
    for (const [n, way] of ways.entries()) {
      const isLast = n === ways.length - 1;
      const attempt = new Attempt(target, options, way, proxies);
      try {
        const upstream = await attempt.run(isLast);
        if (upstream) return upstream;
        await attempt.giveUp();
      } catch (error) {
        const failure: Failure = { way, error, status: attempt.statusOf(error) };
        failures.push(failure);
        await attempt.giveUp();
        if (options.deadline.reason || !mayTryNext(failure, n === 0)) break;
      }
    }
    throw asConnectError(target.transport, options, failures);
  };
}

/** One way tried on a server, with connections of its own. */
class Attempt {
  readonly #target: HttpTarget;
  readonly #options: ConnectOptions;
  readonly #way: Way;
  readonly #proxies: HttpProxies | undefined;
  #close: (() => Promise<void>) | undefined;
  #lastStatus: () => number = () => 0;

  constructor(target: HttpTarget, options: ConnectOptions, way: Way, proxies: HttpProxies | undefined) {
    this.#target = target;
    this.#options = options;
    this.#way = way;
    this.#proxies = proxies;
  }

  /** @returns undefined when the server has answered that it does not speak this way */
  async run(isLast: boolean): Promise<Upstream | undefined> {
    const { deadline } = this.#options;
    deadline.throwIfEnded();
    if (this.#way.transport === "sse") return this.#runSse(deadline);
    if (this.#way.era === "legacy" || isLast) return this.#runStreamable(this.#way.era, deadline);
    const probe = deadline.child(Math.min(PROBE_MS, deadline.remainingMs() / 2));
    try {
      return await this.#runStreamable(this.#way.era, probe);
    } finally {
      probe.close();
    }
  }

  async giveUp(): Promise<void> {
    await this.#close?.();
  }

  /** Of the answer that the error is about; 0 when there was none. */
  statusOf(error: unknown): number {
    if (error instanceof DynamicMcpError && typeof error.data["status"] === "number") return error.data["status"];
    return this.#lastStatus();
  }

  async #runStreamable(era: Era, deadline: Deadline): Promise<Upstream | undefined> {
    const place = await this.#openSite();
    let wire!: StreamableWire;
    const peer = new Peer(this.#options, (onMessage) => (wire = createStreamableWire({ ...place, onMessage })));
    this.#close = () => peer.close();
    this.#lastStatus = () => wire.lastStatus;
    wire.speak(era);
    const negotiated = era === "modern" ? await discover(peer, deadline) : await initialize(peer, deadline);
    if (!negotiated) return undefined;
    wire.hearApart();
    return peer.open({ ...negotiated, transport: "http" });
  }

  async #runSse(deadline: Deadline): Promise<Upstream> {
    const place = await this.#openSite();
    let take: (message: WireMessage) => void = () => {};
    const wire = await openSseWire({ ...place, deadline, onMessage: (message) => take(message) });
    const peer = new Peer(this.#options, (onMessage) => {
      take = onMessage;
      return wire;
    });
    this.#close = () => peer.close();
    return peer.open({ ...(await initialize(peer, deadline)), transport: "sse" });
  }

  async #openSite(): Promise<{ site: Site; pool: HttpPool; maxMessageBytes: number }> {
    const { name, maxMessageBytes } = this.#options;
    const { url: text, headers, tokens } = this.#target;
    const url = new URL(text);
    const proxies = this.#proxies && { proxies: this.#proxies };
    const pool = await openHttpPool({ url, connectTimeoutMs: CONNECT_MS, maxBodyBytes: maxMessageBytes, ...proxies });
    this.#close = () => pool.close();
    return { site: createSite({ name, url, headers, tokens, pool }), pool, maxMessageBytes };
  }
}

/** What to tell of attempts that all failed. */
function asConnectError(
  transport: HttpTarget["transport"],
  { name, deadline }: ConnectOptions,
  failures: readonly Failure[],
): Error {
  const { reason } = deadline;
  if (reason === "deadline") {
    const message = `${name} did not answer within ${Math.round(deadline.limitMs)} ms`;
    return new DynamicMcpError("UPSTREAM_UNAVAILABLE", message, { data: { reason: "timeout" } });
  }
  if (reason) return deadline.error();
  // HTTP+SSE was only a guess: that it is not spoken says less than how the newer way failed.
  const told = failures.findLast(({ way }) => way.transport === "http") ?? failures.at(-1);
  const error = told?.error;
  if (error instanceof RemoteError) {
    const { code, message } = error.rpc;
    return new DynamicMcpError("UPSTREAM_INVALID", `${name} refuses to start (${code}): ${message.slice(0, 300)}`, {
      cause: error,
    });
  }
  if (hasCode(error, "TIMEOUT"))
    return new DynamicMcpError("UPSTREAM_UNAVAILABLE", `${name} did not answer in time`, { cause: error });
  if (!(error instanceof DynamicMcpError)) {
    return error instanceof Error ? error : new DynamicMcpError("UPSTREAM_UNAVAILABLE", `${name} could not be reached`);
  }
  if (transport !== "http" || !told || !OLDER_STATUSES.has(told.status)) return error;
  return new DynamicMcpError(error.code, `${error.message}. ${OLDER_HINT}`, { data: error.data, cause: error });
}

const OLDER_HINT = 'If it is a server of 2024-11-05 (HTTP+SSE), set its type to "sse" or leave it out';
