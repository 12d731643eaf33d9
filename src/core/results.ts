import { ERRORS, type ErrorCode } from "./errors.ts";
import type { Content, ToolResult } from "./item.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";

/** Where our error code travels in the result of a tool that failed: `{ code, retryable, data? }`. */
const ERROR_META = "dynamic-mcp/error";

/** Where captured console output travels: `[{ level, text }]`, oldest first. */
export const LOGS_META = "dynamic-mcp/logs";

/** A failure as an answer that the model reads. */
export function failedResult(code: ErrorCode, text: string, data?: JsonObject): ToolResult {
  const error: JsonObject = { code, retryable: ERRORS[code].retryable };
  if (data && Object.keys(data).length > 0) error["data"] = data;
  return { content: [textContent(text)], isError: true, _meta: { [ERROR_META]: error } };
}

/** A structured answer with words beside it. */
export function structured(text: string, structuredContent: JsonObject): ToolResult {
  return { content: [textContent(text)], structuredContent };
}

export function textContent(text: string): Content {
  return { type: "text", text };
}

/** The code that a Source put on its failed result. */
export function codeOfResult(result: ToolResult): ErrorCode | undefined {
  const meta = result._meta?.[ERROR_META];
  const code: Json | undefined = isJsonObject(meta) ? meta["code"] : undefined;
  return typeof code === "string" && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined;
}

/** The facts beside that code; empty when there are none. */
export function dataOfResult(result: ToolResult): JsonObject {
  const meta = result._meta?.[ERROR_META];
  const data = isJsonObject(meta) ? meta["data"] : undefined;
  return isJsonObject(data) ? data : {};
}
