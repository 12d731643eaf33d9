import { DynamicMcpError } from "../core/errors.ts";
import type { PromptResult, ResourceResult, ToolResult } from "../core/item.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import { textContent } from "../core/results.ts";
import type { PackContent } from "./pack.ts";

/**
 * What a tool of a pack returned, as a result.
 *
 * @throws RESULT_NOT_JSON
 */
export function toToolResult(value: unknown, tool: string): ToolResult {
  if (isToolResult(value)) return value;
  if (value === undefined) return { content: [] };
  if (typeof value === "string") return { content: [textContent(value)] };
  const text = toJson(value, tool);
  return { content: [textContent(text)], structuredContent: JSON.parse(text) as Json };
}

function isToolResult(value: unknown): value is ToolResult {
  if (!isJsonObject(value) || !Array.isArray(value["content"])) return false;
  return value["content"].every((block) => isJsonObject(block) && typeof block["type"] === "string");
}

function toJson(value: unknown, tool: string): string {
  try {
    const text = JSON.stringify(value) as string | undefined;
    if (text !== undefined) return text;
  } catch (cause) {
    throw new DynamicMcpError("RESULT_NOT_JSON", `what ${tool} returned is not JSON`, { cause });
  }
  throw new DynamicMcpError("RESULT_NOT_JSON", `what ${tool} returned is not JSON but a ${typeof value}`);
}

export function toPromptResult(value: string | PromptResult): PromptResult {
  return typeof value === "string" ? { messages: [{ role: "user", content: textContent(value) }] } : value;
}

export function toResourceResult(value: PackContent, uri: string, mimeType: string | undefined): ResourceResult {
  const common = { uri, ...(mimeType === undefined ? {} : { mimeType }) };
  if (typeof value === "string") return { contents: [{ ...common, text: value }] };
  if (value instanceof Uint8Array) return { contents: [{ ...common, blob: Buffer.from(value).toString("base64") }] };
  return { contents: value };
}
