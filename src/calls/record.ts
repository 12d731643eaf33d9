import type { CallEnd, CallRecord, Wanted } from "../core/call.ts";
import { DynamicMcpError, type ErrorCode } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import { redactText } from "../core/redact.ts";
import { RemoteError } from "../core/remote-error.ts";
import { LOGS_META } from "../core/results.ts";
import type { Identified } from "./stations.ts";

const DENIED: readonly ErrorCode[] = ["FORBIDDEN", "UNAUTHENTICATED", "READ_ONLY"];
const MAX_NAME_CHARS = 200;
const MAX_MESSAGE_CHARS = 500;
/** Other servers' words may be long: what is far behind the part that is shown is not looked at. */
const MAX_READ_CHARS = 20 * MAX_MESSAGE_CHARS;
const MAX_LOG_LINES = 50;

/**
 * The record of a call that has ended, in whichever way. Holds no arguments and no results, but the first words of a
 * refusal or failure, which may quote a value.
 */
export function recordOf(call: Identified, how: { end: CallEnd } | { error: unknown }): CallRecord {
  const { request, found, parent } = call;
  const { caller, wanted } = request;
  const outcome = "end" in how ? ofEnd(how.end) : ofError(how.error);
  // Member by member: one of these is made for every call, and spreading makes several.
  const record: CallRecord = {
    id: call.callId,
    at: new Date(call.receivedAt).toISOString(),
    requestId: request.requestId,
    principal: caller.principal.id,
    kind: wanted.kind,
    name: (found?.name ?? nameOf(wanted)).slice(0, MAX_NAME_CHARS),
    outcome: outcome.outcome,
    durationMs: Math.round((performance.now() - call.startedAt) * 1_000) / 1_000,
  };
  if (parent) record.parent = parent.resolved.call.callId;
  if (caller.channel !== undefined) record.channel = caller.channel;
  if (caller.session !== undefined) record.session = caller.session;
  if (caller.client) record.client = `${caller.client.name} ${caller.client.version}`.slice(0, MAX_NAME_CHARS);
  if (found) record.source = found.source.name;
  if (found?.target.kind === "tool") {
    record.item = found.target.item.id;
    record.revision = found.target.item.revision;
  }
  if (outcome.code !== undefined) record.code = outcome.code;
  if (outcome.message !== undefined) record.message = outcome.message;
  if (outcome.logs !== undefined) record.logs = outcome.logs;
  if (request.bytesIn !== undefined) record.bytesIn = request.bytesIn;
  return record;
}

type Outcome = Pick<CallRecord, "outcome" | "code" | "message" | "logs">;

function ofEnd(end: CallEnd): Outcome {
  if (end.state === "paused") return { outcome: "paused" };
  const logs = logsOf(end.result._meta ?? {});
  if (end.state === "done") return { outcome: "done", ...logs };
  // Also what another server answered, which need not have any.
  const first = Array.isArray(end.result.content) ? end.result.content[0] : undefined;
  const text = first?.type === "text" && typeof first["text"] === "string" ? first["text"] : "";
  return { outcome: DENIED.includes(end.code) ? "denied" : "failed", code: end.code, message: shorten(text), ...logs };
}

function ofError(error: unknown): Outcome {
  if (!(error instanceof DynamicMcpError)) return { outcome: "broken", code: "INTERNAL" };
  if (error instanceof RemoteError) return { outcome: "failed", code: error.code, message: shorten(error.message) };
  const outcome = DENIED.includes(error.code) ? "denied" : "refused";
  return { outcome, code: error.code, message: shorten(error.message) };
}

function logsOf(meta: object): { logs?: string[] } {
  const logs = isJsonObject(meta) ? meta[LOGS_META] : undefined;
  if (!Array.isArray(logs) || logs.length === 0) return {};
  const texts = logs.slice(0, MAX_LOG_LINES).map((line) => {
    const { level, text } = isJsonObject(line) ? line : {};
    return typeof level === "string" && typeof text === "string" ? shorten(`${level}: ${text}`) : "";
  });
  return { logs: texts };
}

function shorten(text: string): string {
  return redactText(text.slice(0, MAX_READ_CHARS)).slice(0, MAX_MESSAGE_CHARS);
}

function nameOf(wanted: Wanted): string {
  switch (wanted.kind) {
    case "tool":
    case "prompt":
      return wanted.name;
    case "resource":
      return wanted.uri;
    case "completion":
      return wanted.ref.kind === "prompt" ? wanted.ref.name : wanted.ref.uri;
  }
}
