import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { Ask } from "../core/source.ts";
import { invalidParams } from "./protocol.ts";

/** What a question of 2026-07-28 is bound to: whoever answers has to be the same, asking for the same. */
export interface Binding {
  principal: string;
  method: string;
  /** The request's params; what belongs to the protocol (`_meta`, answers, state) is left out. */
  params: JsonObject;
}

export type Answers = Record<string, JsonObject>;

/** What comes back with the client's next request. */
export interface Kept {
  /** To the questions of earlier rounds, for a run that starts again. */
  answers: Answers;
  /** Of a run that goes on from a state: the state, and the method that each question was asked by. */
  resume?: { state: string; methods: Record<string, Ask["method"]> };
}

const MAX_STATE_CHARS = 1_000_000;

/**
 * Writes and reads `requestState`: what is kept of a run that waits for answers, signed, so that any process on the same store can go
 * on. It is not secret: all it holds came from this client, or was said to be no secret by who asked.
 *
 * @param key   32 random bytes that all processes on one store share
 * @param ttlMs how long a client may take to answer
 * @see Model Context Protocol 2026-07-28, basic/utilities/mrtr
 */
export function createRequestStates({ key, ttlMs, now }: { key: Uint8Array; ttlMs: number; now: () => number }) {
  const sign = (text: string) => createHmac("sha256", key).update(text).digest("base64url");

  return {
    write(binding: Binding, kept: Kept): string {
      const state = { v: 1, for: digest(binding), until: now() + ttlMs, ...kept };
      const text = Buffer.from(JSON.stringify(state)).toString("base64url");
      return `${text}.${sign(text)}`;
    },

    /** @throws ProtocolError -32602 with `data.reason`: `tampered`, `expired` or `mismatch` */
    read(binding: Binding, requestState: string): Kept {
      const [text = "", signature = "", ...rest] = requestState.split(".");
      if (requestState.length > MAX_STATE_CHARS || rest.length > 0 || !isSame(signature, sign(text))) {
        throw refused("tampered", "`requestState` is not what this server sent; call again without it");
      }
      const state = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Kept & {
        for: string;
        until: number;
      };
      if (state.until < now()) throw refused("expired", "the answers came too late; call again without `requestState`");
      if (state.for !== digest(binding)) {
        throw refused(
          "mismatch",
          "`requestState` belongs to another request; repeat the request it came from unchanged",
        );
      }
      return state;
    },
  };
}

export type RequestStates = ReturnType<typeof createRequestStates>;

function refused(reason: string, message: string) {
  return invalidParams(message, { code: "INVALID_REQUEST", reason });
}

function isSame(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

function digest({ principal, method, params }: Binding): string {
  const { _meta, inputResponses, requestState, ...own } = params;
  return createHash("sha256")
    .update(JSON.stringify([principal, method, inOrder(own)]))
    .digest("base64url");
}

/** Clients may write the same arguments in another order. */
function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value).toSorted();
  return { sorted: keys.map((key) => [key, inOrder(value[key] ?? null)]) };
}
