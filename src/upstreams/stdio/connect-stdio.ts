import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { RemoteError } from "../../core/remote-error.ts";
import { discover, initialize, type Negotiated } from "../peer/negotiate.ts";
import { Peer } from "../peer/peer.ts";
import type { ConnectOptions, Era, Upstream, UpstreamTarget } from "../upstream.ts";
import { createPipeWire, type PipeWire, type StdioTarget } from "./pipe-wire.ts";

/** A server that does not answer `server/discover` within this is asked in the older way. */
const PROBE_MS = 3_000;
/** It has answered both ways late: the older answer is waited for as long again. */
const LATE_MS = 1_000;

/**
 * Starts a server and finds out its era, in one process: `server/discover` first, unless it is known to be of the older
 * era, then `initialize`. A server that dies of the first question is started once more and asked the older one alone.
 */
export async function connectStdio(target: UpstreamTarget, options: ConnectOptions): Promise<Upstream> {
  if (target.transport !== "stdio") throw new Error(`no command, but ${target.transport}`);
  const first = options.known?.era ?? "modern";
  const attempt = await tryOnce(target, options, first);
  if ("upstream" in attempt) return attempt.upstream;
  if (!attempt.mayTryAgain) throw attempt.error;
  const second = await tryOnce(target, options, first === "modern" ? "legacy" : "modern");
  if ("upstream" in second) return second.upstream;
  throw second.error;
}

type Attempt = { upstream: Upstream } | { error: unknown; mayTryAgain: boolean };

async function tryOnce(target: StdioTarget, options: ConnectOptions, first: Era): Promise<Attempt> {
  const { deadline } = options;
  let pipes: PipeWire | undefined;
  const peer = new Peer(options, (onMessage) => (pipes = createPipeWire(target, options, onMessage)));
  const progress = { isUnderstood: false };
  try {
    const found = await negotiate(peer, deadline, first, progress);
    pipes?.look();
    const pid = pipes?.pid;
    return { upstream: peer.open({ ...found, transport: "stdio", ...(pid !== undefined && { pid }) }) };
  } catch (error) {
    const hasStarted = pipes?.pid !== undefined;
    const isDead = !(error instanceof RemoteError) && !deadline.reason;
    await pipes?.kill();
    return {
      error: explain(error, options, pipes?.lastWords() ?? ""),
      mayTryAgain: hasStarted && isDead && first === "modern" && !progress.isUnderstood,
    };
  }
}

/** @param progress `isUnderstood` once the server has answered the first question, so that it cannot have died of it */
async function negotiate(
  peer: Peer,
  deadline: Deadline,
  first: Era,
  progress: { isUnderstood: boolean },
): Promise<Negotiated> {
  if (first === "legacy") {
    try {
      return await initialize(peer, deadline);
    } catch (error) {
      const found = error instanceof RemoteError ? await discover(peer, deadline) : undefined;
      if (found) return found;
      throw error;
    }
  }
  const probe = deadline.child(deadline.limitMs);
  try {
    const asked = discover(peer, probe);
    const found = await within(asked, PROBE_MS);
    if (found === "late") return await eitherEra(peer, deadline, asked);
    progress.isUnderstood = true;
    return found ?? (await initialize(peer, deadline));
  } finally {
    probe.end("client"); // nobody waits for it any more
  }
}

/**
 * A server that was slow to start, such as one that is being installed, reads both questions at once. The older answer
 * counts where there is one, for it has changed what the process speaks.
 */
async function eitherEra(peer: Peer, deadline: Deadline, asked: Promise<Negotiated | undefined>): Promise<Negotiated> {
  const older = initialize(peer, deadline);
  const modern = asked.catch(() => undefined);
  const tired = modern.then(async (found) => {
    const late =
      found &&
      (await within(
        older.catch(() => "late" as const),
        LATE_MS,
      ));
    return late === "late" ? found : undefined;
  });
  const first = await Promise.race([
    older.catch((error: unknown) => ({ error })),
    tired.then((found) => found ?? older),
  ]);
  if (!("error" in first)) return first;
  const found = first.error instanceof RemoteError ? await within(modern, LATE_MS) : "late";
  if (found !== "late" && found) return found;
  throw first.error;
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | "late"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => (timer = setTimeout(resolve, ms, "late")));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function explain(error: unknown, { name, deadline }: ConnectOptions, lastWords: string): unknown {
  if (deadline.reason === "deadline") {
    const message = `${name} did not answer within ${Math.round(deadline.limitMs)} ms of its start${lastWords}`;
    return new DynamicMcpError("UPSTREAM_UNAVAILABLE", message, { data: { server: name }, cause: error });
  }
  if (!(error instanceof RemoteError)) return error;
  const message = `${name} refused the connection: ${error.message.slice(0, 500)}${lastWords}`;
  return new DynamicMcpError("UPSTREAM_UNAVAILABLE", message, { data: { server: name }, cause: error });
}
