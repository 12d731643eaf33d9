import { isJsonObject, isTooDeep, LEAST_DEEP_CHARS, type Json, type JsonObject } from "../../core/json.ts";
import type { RpcError } from "../../core/remote-error.ts";
import type { WireAnswer, WireMessage } from "./wire.ts";

/** One message of a server: an answer, or something of its own. */
export type Incoming = { kind: "answer"; id: Json | undefined; answer: WireAnswer } | WireMessage;

const RESULT_FIRST = '{"result":';
const ID_LAST = ',"jsonrpc":"2.0","id":';
const ID_FIRST = '{"jsonrpc":"2.0","id":';
const RESULT_LAST = ',"result":';
const VERSION_FIRST = '{"jsonrpc":"2.0","result":';
const ID_ALONE_LAST = ',"id":';
/** Of an id that we minted, a safe integer. */
const MAX_ID_CHARS = 16;

/**
 * Reads an answer from a text that is exactly one, as most servers write it. What lies between the known ends is parsed
 * alone, so that the text of the result is certainly one value and nothing else is in the message.
 *
 * @returns undefined when it is anything else, for {@link readMessages} to look at
 */
export function readPlainAnswer(text: string): { id: number; result: JsonObject; text: string } | undefined {
  if (!text.endsWith("}")) return undefined;
  if (text.startsWith(RESULT_FIRST)) return readIdLast(text, RESULT_FIRST, ID_LAST);
  if (text.startsWith(VERSION_FIRST)) return readIdLast(text, VERSION_FIRST, ID_ALONE_LAST);
  if (!text.startsWith(ID_FIRST)) return undefined;
  const end = text.indexOf(",", ID_FIRST.length);
  if (end < 0 || end > ID_FIRST.length + MAX_ID_CHARS || !text.startsWith(RESULT_LAST, end)) return undefined;
  return read(text.slice(ID_FIRST.length, end), text.slice(end + RESULT_LAST.length, -1));
}

function readIdLast(text: string, first: string, last: string) {
  const end = text.lastIndexOf(last);
  const idAt = end + last.length;
  if (end < first.length || text.length - 1 - idAt > MAX_ID_CHARS) return undefined;
  return read(text.slice(idAt, -1), text.slice(first.length, end));
}

function read(idText: string, result: string): { id: number; result: JsonObject; text: string } | undefined {
  const id = Number(idText);
  if (!Number.isSafeInteger(id) || String(id) !== idText) return undefined;
  try {
    const value = JSON.parse(result) as Json;
    return isJsonObject(value) ? { id, result: value, text: result } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @returns what is in the text, several where it is a batch; undefined when it is not JSON-RPC. Members of a batch that
 *   are not are left out, and so is what the server says of its own when it could not be passed on: too deep.
 */
export function readMessages(text: string): Incoming[] | undefined {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  const all = (Array.isArray(value) ? value : [value])
    .map((each) => readMessage(each, text.length >= LEAST_DEEP_CHARS))
    .filter((one) => one !== undefined);
  return all.length > 0 ? all : undefined;
}

/** @param mayBeDeep whether it is long enough for that */
function readMessage(value: Json, mayBeDeep: boolean): Incoming | undefined {
  if (!isJsonObject(value) || value["jsonrpc"] !== "2.0") return undefined;
  const { id, method, result } = value;
  if (typeof method === "string") {
    const params = isJsonObject(value["params"]) ? value["params"] : {};
    if (mayBeDeep && isTooDeep(params)) return undefined;
    if (id === undefined) return { kind: "notification", method, params };
    if (typeof id === "string" || typeof id === "number") return { kind: "request", id, method, params };
    return undefined;
  }
  const error = readError(value["error"], mayBeDeep);
  if (error) return { kind: "answer", id, answer: { error } };
  return isJsonObject(result) ? { kind: "answer", id, answer: { result } } : undefined;
}

function readError(value: Json | undefined, mayBeDeep: boolean): RpcError | undefined {
  if (!isJsonObject(value) || typeof value["code"] !== "number") return undefined;
  const { code, message, data } = value;
  return {
    code,
    message: typeof message === "string" ? message : "",
    ...(data !== undefined && !(mayBeDeep && isTooDeep(data)) && { data }),
  };
}
