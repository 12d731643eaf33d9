import { DynamicMcpError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { Era, Relay } from "../upstream.ts";
import { META, MODERN_VERSION } from "./protocol.ts";

/** Declared capabilities are few objects that live long: each client's is written once. */
const TEXTS = new WeakMap<object, string>();

/**
 * What a connection adds to the `_meta` of its requests, as JSON text: the progress token, and in 2026-07-28 who asks and
 * what it can be asked. Put together as text, for it is done for each call.
 */
export class MetaText {
  readonly #modern: string;
  readonly #ours: string;

  /** @param capabilities of requests that no client is behind */
  constructor(client: { name: string; version: string }, capabilities: JsonObject) {
    this.#ours = JSON.stringify(capabilities);
    this.#modern =
      `{"${META.protocolVersion}":"${MODERN_VERSION}","${META.clientInfo}":${JSON.stringify(client)},` +
      `"${META.clientCapabilities}":`;
  }

  /** @returns empty when there is nothing to say */
  of(era: Era, id: number, relay: Relay | undefined): string {
    let text = "";
    if (era === "modern") {
      text = this.#modern + (relay ? capabilitiesText(relay) : this.#ours);
      if (relay?.logLevel !== undefined) text += `,"${META.logLevel}":"${relay.logLevel}"`;
    }
    if (relay?.progress !== undefined) text += `${text === "" ? "{" : ","}"progressToken":${id}`;
    const own = relay?.meta === undefined ? "{}" : JSON.stringify(relay.meta);
    if (own !== "{}") text += (text === "" ? "{" : ",") + own.slice(1, -1);
    return text === "" ? "" : `${text}}`;
  }
}

function capabilitiesText({ can: { declared } }: Relay): string {
  if (declared === undefined) return "{}";
  let text = TEXTS.get(declared);
  if (text === undefined) {
    text = JSON.stringify(declared);
    TEXTS.set(declared, text);
  }
  return text;
}

/**
 * @returns the text of `params` with this `_meta`; what the params have of their own in theirs stays unless it is ours
 * @throws INVALID_ARGUMENTS when they are nested so deeply that they can be read, but not written
 */
export function paramsText(params: JsonObject, meta: string): string {
  try {
    return joined(params, meta);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DynamicMcpError("INVALID_ARGUMENTS", "what is to be sent is nested too deep", { cause: error });
  }
}

function joined(params: JsonObject, meta: string): string {
  if (meta === "") return JSON.stringify(params);
  const own = params["_meta"];
  if (own !== undefined) {
    const ours = JSON.parse(meta) as JsonObject;
    return JSON.stringify({ ...params, _meta: isJsonObject(own) ? { ...own, ...ours } : ours });
  }
  const text = JSON.stringify(params);
  return text === "{}" ? `{"_meta":${meta}}` : `{"_meta":${meta},${text.slice(1)}`;
}
