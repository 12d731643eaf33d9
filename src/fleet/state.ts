import { createHash } from "node:crypto";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

/** What travels with a client's answers: which call at which server it goes on with. The server of ours signs it. */
export interface CallState {
  server: string;
  /** Of what was asked for; an answer to something else must not reach this. */
  mark: string;
  /** Set when the call waits in memory. */
  parked?: string;
  /** Set when nothing has been asked of the server yet: it has to know the roots of the client that comes back. */
  wantsRoots?: boolean;
  /** What a server of 2026-07-28 sent to get back. */
  requestState?: string;
}

/** Leaves room for our own members within what may travel. */
export const MAX_REQUEST_STATE_CHARS = 60_000;

export function markOf(method: string, params: JsonObject): string {
  return createHash("sha256")
    .update(JSON.stringify([method, params]))
    .digest("base64url");
}

export function writeState(state: CallState): string {
  return JSON.stringify(state);
}

/** @returns undefined for what is no state of ours */
export function readState(text: string): CallState | undefined {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || typeof value["server"] !== "string" || typeof value["mark"] !== "string")
    return undefined;
  return value as unknown as CallState;
}
