import type { Caller } from "./caller.ts";
import type { Deadline } from "./deadline.ts";
import type { ErrorCode } from "./errors.ts";
import type { AnyResult, CompletionResult, PromptResult, ResourceResult, ToolResult } from "./item.ts";
import type { JsonObject } from "./json.ts";
import type { Ask, CallIo } from "./source.ts";

/** What a call asks for. Names are as the client wrote them. */
export type Wanted =
  | { kind: "tool"; name: string; args: JsonObject }
  | { kind: "prompt"; name: string; args: Record<string, string> }
  | { kind: "resource"; uri: string }
  | {
      kind: "completion";
      ref: { kind: "prompt"; name: string } | { kind: "resource"; uri: string };
      argument: { name: string; value: string };
      context: Record<string, string>;
    };

/** A request as an edge (HTTP, stdio, CLI) hands it to the line: parsed, and knowing no transport. */
export interface CallRequest {
  wanted: Wanted;
  caller: Caller;
  io: CallIo;
  deadline: Deadline;
  /** Previews and handles are for models; programs get everything. */
  consumer: "model" | "program";
  /** Correlates log, journal and the client's own id. */
  requestId: string;
  /** Size of the request as received, when the edge knows it. */
  bytesIn?: number;
}

/** How a call ended. A refusal (unknown tool, rate limit, denied) is not an end but a thrown `DynamicMcpError`. */
export type CallEnd<R extends AnyResult = AnyResult> =
  | { state: "done"; result: R }
  | { state: "failed"; result: ToolResult; code: ErrorCode }
  | { state: "paused"; asks: Record<string, Ask>; resume?: string };

export type ResultOf<W extends Wanted> = W extends { kind: "tool" }
  ? ToolResult
  : W extends { kind: "prompt" }
    ? PromptResult
    : W extends { kind: "resource" }
      ? ResourceResult
      : CompletionResult;

/** One record beside the line, for every end, refusals too. */
export interface CallRecord {
  id: string;
  /** ISO 8601, UTC: when it was received. */
  at: string;
  requestId: string;
  parent?: string;
  principal: string;
  channel?: string;
  session?: string;
  client?: string;
  kind: Wanted["kind"];
  /** The item's own name once resolved, before that what the client wrote (shortened). */
  name: string;
  source?: string;
  item?: string;
  revision?: number;
  outcome: "done" | "failed" | "paused" | "refused" | "denied" | "broken";
  code?: ErrorCode;
  /** The refusal's or failure's own words, redacted, at most 500 characters. */
  message?: string;
  durationMs: number;
  bytesIn?: number;
  /** Captured console lines of authored code, bounded. */
  logs?: string[];
}
