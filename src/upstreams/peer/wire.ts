import type { Deadline } from "../../core/deadline.ts";
import type { JsonObject } from "../../core/json.ts";
import type { RpcError } from "../../core/remote-error.ts";
import type { UpstreamEnd } from "../upstream.ts";

/**
 * Carries JSON-RPC messages to one server and back: a pair of pipes, or HTTP. It knows ids and no methods; the peer on
 * top of it knows methods and no transport.
 */
export interface Wire {
  /**
   * @param id minted by the peer, never used twice
   * @param body the whole message as JSON text
   * @throws UPSTREAM_UNAVAILABLE, UPSTREAM_INVALID, UPSTREAM_LOGIN, TOO_LARGE; the deadline's own error
   */
  request(id: number, body: string, options: WireRequest): Promise<WireAnswer>;

  /** Sends a notification or a response. Dropped when the wire has ended. */
  send(body: string): void;

  readonly ended: Promise<UpstreamEnd>;
  close(): Promise<void>;
}

export interface WireRequest {
  method: string;
  deadline: Deadline;
  /** What HTTP repeats of a message as headers (2026-07-28); pipes do not look at it. */
  headers: Readonly<Record<string, string>> | undefined;
  /**
   * A notification or request of the server that came on this request's own stream. On pipes there is no such stream:
   * they give everything to the peer's `onMessage`.
   */
  onMessage(message: WireMessage): void;
}

export type WireAnswer =
  | { result: JsonObject; /** JSON text of the result, where the message had nothing else. */ text?: string }
  | { error: RpcError };

/** What a server sends of its own. `params` is `{}` when absent. */
export type WireMessage =
  | { kind: "notification"; method: string; params: JsonObject }
  | { kind: "request"; id: string | number; method: string; params: JsonObject };
