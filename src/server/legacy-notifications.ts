import type { Caller } from "../core/caller.ts";
import type { JsonObject } from "../core/json.ts";
import type { Message } from "./json-rpc.ts";
import type { OpenChannel } from "./open-channel.ts";

/** Takes what a client of the older era sends without waiting for an answer. */
export function take(
  channel: OpenChannel,
  message: Extract<Message, { kind: "notification" | "response" }>,
  rootsChanged: (caller: Caller) => void,
): void {
  if (message.kind === "response") channel.asks.answer(message.id, message.result, message.error);
  else if (message.method === "notifications/cancelled") cancelled(channel, message.params);
  else if (message.method === "notifications/roots/list_changed" && channel.can.roots) rootsChanged(channel.caller);
}

function cancelled(channel: OpenChannel, { requestId }: JsonObject): void {
  if (typeof requestId === "string" || typeof requestId === "number") channel.flight(requestId)?.end("client");
}
