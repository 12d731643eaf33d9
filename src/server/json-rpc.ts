import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

export type RequestId = string | number;

export interface RpcError {
  code: number;
  message: string;
  data?: Json;
}

/** One message, as far as its shape tells. `params` is `{}` when absent. */
export type Message =
  | { kind: "request"; id: RequestId; method: string; params: JsonObject }
  | { kind: "notification"; method: string; params: JsonObject }
  | { kind: "response"; id: RequestId; result: JsonObject | undefined; error: RpcError | undefined }
  | { kind: "invalid"; id: RequestId | null; problem: string };

const NO_PARAMS: JsonObject = Object.freeze({});

/** Reads what `JSON.parse` gave; batches are taken apart by the caller. Never throws. */
export function readMessage(value: unknown): Message {
  if (!isJsonObject(value)) return { kind: "invalid", id: null, problem: "a message is a JSON object" };
  const { id, method, params } = value;
  const isId = typeof id === "string" || (typeof id === "number" && Number.isFinite(id));
  const invalid = (problem: string): Message => ({ kind: "invalid", id: isId ? id : null, problem });

  if (value["jsonrpc"] !== "2.0") return invalid('`jsonrpc` must be "2.0"');
  if (method === undefined) {
    if (!isId) return invalid("`method` is missing");
    return readResponse(id, value) ?? invalid("a response has `result` or `error`, a request has `method`");
  }
  if (typeof method !== "string") return invalid("`method` must be a text");
  if (params !== undefined && !isJsonObject(params)) return invalid("`params` must be an object");
  const given = params ?? NO_PARAMS;
  if (id === undefined) return { kind: "notification", method, params: given };
  return isId ? { kind: "request", id, method, params: given } : invalid("`id` must be a text or a number");
}

function readResponse(id: RequestId, value: JsonObject): Message | undefined {
  const { result, error } = value;
  if (isJsonObject(result)) return { kind: "response", id, result, error: undefined };
  if (!isJsonObject(error)) return undefined;
  const code = typeof error["code"] === "number" ? error["code"] : 0;
  const message = typeof error["message"] === "string" ? error["message"] : "";
  return { kind: "response", id, result: undefined, error: { code, message } };
}

/** An answer ready to be sent: JSON text, or a list's kept bytes between two small texts. */
export interface Reply {
  /** Over HTTP. */
  status: number;
  head: string;
  /** Bytes of UTF-8 after `head`, before `tail`; lists are kept this way. */
  body?: Buffer;
  tail?: string;
}

export function resultReply(id: RequestId, resultText: string): Reply {
  return { status: 200, head: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultText}}` };
}

/** A result whose text begins with kept bytes and ends with `rest`. */
export function bytesReply(id: RequestId, body: Buffer, rest: string): Reply {
  return { status: 200, head: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, body, tail: `${rest}}` };
}

export function errorReply(id: RequestId | null, error: RpcError, status: number): Reply {
  return { status, head: JSON.stringify({ jsonrpc: "2.0", id, error }) };
}

/** Two requests under one id: the second is refused, or their answers could not be told apart. */
export function idInUse(id: RequestId): RpcError {
  return { code: -32600, message: `the request id ${JSON.stringify(id)} is still in use` };
}

export function notificationText(method: string, params?: JsonObject): string {
  return JSON.stringify(params ? { jsonrpc: "2.0", method, params } : { jsonrpc: "2.0", method });
}

export function replyText(reply: Reply): string {
  return reply.body ? reply.head + reply.body.toString("utf8") + (reply.tail ?? "") : reply.head;
}
