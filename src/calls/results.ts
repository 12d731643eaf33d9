import type { CallEnd } from "../core/call.ts";
import { DynamicMcpError, ERRORS, type ErrorCode } from "../core/errors.ts";
import type { ToolResult } from "../core/item.ts";
import { isJsonObject, type Json } from "../core/json.ts";

/** Where our error code travels in the result of a tool that failed: `{ code, retryable, data? }`. */
export const ERROR_META = "dynamic-mcp/error";

/** What does not fit a schema: where (JSON Pointer) and why, in words that a model can act on. */
export type Problems = readonly { path: string; message: string }[];

/** A refusal as an answer that the model reads. */
export function failed(error: DynamicMcpError): Extract<CallEnd, { state: "failed" }> {
  const meta = { code: error.code, retryable: error.spec.retryable, data: error.data as Json };
  return {
    state: "failed",
    code: error.code,
    result: {
      content: [{ type: "text", text: error.message }],
      isError: true,
      _meta: { [ERROR_META]: meta },
    },
  };
}

/** The code that a Source put on its failed result, else that its code threw. */
export function codeOf(result: ToolResult): ErrorCode {
  const meta = result._meta?.[ERROR_META];
  const code = isJsonObject(meta) ? meta["code"] : undefined;
  return typeof code === "string" && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : "CODE_THREW";
}

const SHOWN_PROBLEMS = 5;

export function unfit(what: string, problems: Problems): DynamicMcpError {
  const lines = problems.slice(0, SHOWN_PROBLEMS).map(({ path, message }) => `${path || "/"}: ${message}`);
  const more = problems.length > SHOWN_PROBLEMS ? ` (and ${problems.length - SHOWN_PROBLEMS} more)` : "";
  return new DynamicMcpError("INVALID_ARGUMENTS", `${what} does not fit its schema. ${lines.join("; ")}${more}`, {
    data: { problems: problems.slice(0, SHOWN_PROBLEMS) },
  });
}
