import { Crowd } from "../../core/crowd.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { HttpPool } from "../../machine/net/http-pool.ts";
import { MODERN_VERSION } from "../peer/protocol.ts";
import type { Wire, WireAnswer, WireMessage, WireRequest } from "../peer/wire.ts";
import type { Era, UpstreamEnd } from "../upstream.ts";
import { headerValue } from "./header-values.ts";
import { ListenStream } from "./listen-stream.ts";
import { PostCall } from "./post-call.ts";
import { type Head, sessionGone } from "./refusals.ts";
import { sendAlone } from "./send-alone.ts";
import type { Site } from "./site.ts";

export interface StreamableOptions {
  site: Site;
  pool: HttpPool;
  maxMessageBytes: number;
  /** What came on no request's stream. */
  onMessage(message: WireMessage): void;
}

/** Streamable HTTP of both eras. It starts in the one of 2026-07-28, until it is told otherwise. */
export interface StreamableWire extends Wire {
  /** Of the last answer to a request; tells a refusal by HTTP from one by JSON-RPC. */
  readonly lastStatus: number;
  speak(era: Era): void;
  /** Older era, after the start: opens the stream for what belongs to no request. */
  hearApart(): void;
}

/** From this on the version is told with each request. */
const VERSION_IN_HEADERS_SINCE = "2025-06-18";
const ACCEPT_BOTH = ["accept", "application/json, text/event-stream", "content-type", "application/json"];
const ACCEPT_EVENTS = ["accept", "text/event-stream"];
const CLOSE_MS = 2_000;
const SEND_MS = 30_000;
const SESSION_CHECK_MS = 5_000;
const SESSION_CHECK = JSON.stringify({ jsonrpc: "2.0", id: "session-check", method: "ping" });
const MAX_SESSION_ID_CHARS = 4_096;
const MAX_SENDS = 1_000;

export function createStreamableWire(options: StreamableOptions): StreamableWire {
  const { site, pool, maxMessageBytes } = options;
  const calls = new Crowd<PostCall>();
  const sends = new Set<() => void>();
  let era: Era = "modern";
  let version: string | undefined;
  let sessionId: string | undefined;
  let lastStatus = 0;
  let end: UpstreamEnd | undefined;
  let tellEnd!: (end: UpstreamEnd) => void;
  const ended = new Promise<UpstreamEnd>((resolve) => (tellEnd = resolve));
  let sessionCheck: Promise<boolean> | undefined;
  /** Until the server has taken `notifications/initialized`; some refuse a request that overtakes it. */
  let initialized: "not yet" | Promise<void> | undefined = "not yet";
  let closing: Promise<void> | undefined;

  const legacyHeaders = (): string[] => {
    const headers: string[] = [];
    if (sessionId !== undefined) headers.push("mcp-session-id", sessionId);
    if (version !== undefined && version >= VERSION_IN_HEADERS_SINCE) headers.push("mcp-protocol-version", version);
    return headers;
  };
  const eventHeaders = (lastEventId: string): string[] => {
    const headers = [...ACCEPT_EVENTS, ...legacyHeaders()];
    if (lastEventId !== "") headers.push("last-event-id", lastEventId);
    return headers;
  };
  const finish = (last: UpstreamEnd): void => {
    if (end) return;
    end = last;
    listening.stop();
    for (const call of calls) call.drop(last.message);
    for (const abort of sends) abort();
    tellEnd(last);
  };
  const lose = (): void => finish({ reason: "lost", message: sessionGone(site.name).message });
  const listening = new ListenStream({
    site,
    maxMessageBytes,
    headers: eventHeaders,
    onMessage: options.onMessage,
    onSessionGone: () => {
      if (sessionId !== undefined) lose();
    },
    onUnreachable: (error) => finish({ reason: "lost", message: error.message }),
  });

  /** Whether the session is still known: some servers answer 400 where it should be 404. */
  const isSessionAlive = (): Promise<boolean> =>
    (sessionCheck ??= sendAlone(
      site,
      { method: "POST", headers: [...ACCEPT_BOTH, ...legacyHeaders()], body: SESSION_CHECK },
      SESSION_CHECK_MS,
      sends,
    ).then((status) => {
      sessionCheck = undefined;
      return status !== 400 && status !== 404;
    }));

  const context = {
    site,
    maxMessageBytes,
    get canResume() {
      return era === "legacy";
    },
    headers({ method, headers }: WireRequest): string[] {
      if (era === "legacy") return [...ACCEPT_BOTH, ...legacyHeaders()];
      const all = [...ACCEPT_BOTH, "mcp-protocol-version", MODERN_VERSION, "mcp-method", method];
      for (const name in headers) all.push(name, headerValue(headers[name] ?? ""));
      return all;
    },
    resumeHeaders: eventHeaders,
    onHead(call: PostCall, { status, headers }: Head): void {
      lastStatus = status;
      if (era !== "legacy" || call.method !== "initialize") return;
      const given = headers["mcp-session-id"];
      if (typeof given === "string" && given !== "" && given.length <= MAX_SESSION_ID_CHARS) sessionId = given;
    },
    onRefused(call: PostCall, status: number, isUnread: boolean): boolean {
      if (sessionId === undefined || !isUnread || (status !== 404 && status !== 400)) return false;
      const gone = () => {
        call.fail(sessionGone(site.name));
        lose();
      };
      if (status === 404) gone();
      else void isSessionAlive().then((isAlive) => (isAlive ? call.refuse() : gone()));
      return true;
    },
    onOver(call: PostCall): void {
      calls.remove(call);
    },
  };

  return {
    ended,
    get lastStatus() {
      return lastStatus;
    },
    speak(next) {
      era = next;
    },
    hearApart() {
      if (!end && era === "legacy") listening.open();
    },
    request(id, body, request): Promise<WireAnswer> {
      if (end) return Promise.reject(new DynamicMcpError("UPSTREAM_UNAVAILABLE", end.message));
      if (request.deadline.reason) return Promise.reject(request.deadline.error());
      const call = new PostCall(context, id, body, request);
      calls.add(call);
      if (initialized instanceof Promise) void initialized.then(() => call.start());
      else call.start();
      return era === "legacy" && request.method === "initialize" ? call.answer.then(keepVersion) : call.answer;
    },
    send(body) {
      // Of 2026-07-28 a client says nothing but requests: it cancels by closing, and is never asked.
      if (end || era === "modern" || sends.size >= MAX_SENDS) return;
      const headers = [...ACCEPT_BOTH, ...legacyHeaders()];
      const sent = sendAlone(site, { method: "POST", headers, body }, SEND_MS, sends);
      if (initialized === "not yet") {
        initialized = sent.then(() => {
          initialized = undefined;
        });
      }
      void sent.then((status) => {
        if (status === 404 && sessionId !== undefined) lose();
      });
    },
    close() {
      return (closing ??= close());
    },
  };

  function keepVersion(answer: WireAnswer): WireAnswer {
    if ("result" in answer && typeof answer.result["protocolVersion"] === "string") {
      // It goes back as a header.
      version = headerValue(answer.result["protocolVersion"].slice(0, 64));
    }
    return answer;
  }

  async function close(): Promise<void> {
    const isLost = end !== undefined;
    finish({ reason: "closed", message: `the connection to ${site.name} is closed` });
    if (sessionId !== undefined && !isLost) {
      await sendAlone(site, { method: "DELETE", headers: legacyHeaders() }, CLOSE_MS, sends);
    }
    await pool.close();
  }
}
