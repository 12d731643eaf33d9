import type { AnyResult, ToolResult } from "../core/item.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { rawTextOf } from "../core/raw-text.ts";
import { META, type Era } from "./protocol.ts";

/** Who we say we are. */
export interface Implementation {
  name: string;
  title?: string;
  version: string;
}

/** How long a client may keep an answer, and whether callers with other credentials may share it (SEP-2549). */
export interface CacheHint {
  ttlMs: number;
  cacheScope: "public" | "private";
}

/**
 * Turns results into JSON text. In 2026-07-28 every result says its type and who we are; both are added to the text,
 * so that a large result is written once, and one that came as text is not written at all.
 */
export function createResultWriter(serverInfo: Implementation) {
  const stamp = `"resultType":"complete","_meta":${JSON.stringify({ [META.serverInfo]: serverInfo })}}`;

  return {
    write(era: Era, result: object, hint?: CacheHint): string {
      const text = lineOf(result);
      if (era === "legacy") return text ?? JSON.stringify(result);
      const { _meta: meta } = result as { _meta?: unknown };
      if (isJsonObject(meta) || "resultType" in result) {
        const own = isJsonObject(meta) ? meta : {};
        const hinted = hint ? { ...result, ...hint } : result;
        return JSON.stringify({ resultType: "complete", ...hinted, _meta: { ...own, [META.serverInfo]: serverInfo } });
      }
      const isStamped = text !== undefined && !STAMPED.some((key) => key in result);
      if (!isStamped) return joined(JSON.stringify(hint ? { ...result, ...hint } : result), stamp);
      return joined(text, hint ? JSON.stringify(hint).slice(1, -1) + "," + stamp : stamp);
    },
  };
}

/** What we add ourselves: a text that has one of them cannot be added to. */
const STAMPED = ["_meta", "ttlMs", "cacheScope"];

/** The text that a result came as, where it can be part of a message: one line, as stdio and event streams need it. */
function lineOf(result: object): string | undefined {
  const text = rawTextOf(result);
  return text === undefined || text.includes("\n") || text.includes("\r") ? undefined : text;
}

/** @param text of an object. @param more further members and the closing brace */
function joined(text: string, more: string): string {
  const open = text.slice(0, text.lastIndexOf("}"));
  return open.trimEnd() === "{" ? `{${more}` : `${open},${more}`;
}

export type ResultWriter = ReturnType<typeof createResultWriter>;

/**
 * Revisions before 2026-07-28 know only objects as structured content: anything else is wrapped as `{result}`, as the
 * tool's output schema is in lists.
 *
 * @param isWrapped whether the tool is listed with a wrapped schema
 */
export function forLegacy(result: AnyResult, isWrapped: boolean): AnyResult {
  if (!("structuredContent" in result) || result.structuredContent === undefined) return result;
  if (!isWrapped && isJsonObject(result.structuredContent)) return result;
  return { ...result, structuredContent: { result: result.structuredContent } } satisfies ToolResult;
}

/** Whether older clients take this output schema as it is. */
export function isObjectSchema(schema: JsonObject): boolean {
  return schema["type"] === "object";
}

const WRAPPED_PREFIX = "#/properties/result";
/** Under these keys is data, not schema: a `$ref` in there means nothing. */
const DATA_KEYS = new Set(["const", "enum", "default", "examples"]);

/** The schema of `{result: <value of the schema>}`; references within the schema still point where they did. */
export function wrapSchema(schema: JsonObject): JsonObject {
  const { $schema, ...inner } = schema;
  return {
    ...($schema === undefined ? {} : { $schema }),
    type: "object",
    properties: { result: rebase(inner) },
    required: ["result"],
  };
}

function rebase(node: Json): Json {
  if (Array.isArray(node)) return node.map(rebase);
  if (!isJsonObject(node)) return node;
  // A subschema with an identifier of its own is the root of its references.
  if (typeof node["$id"] === "string") return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      const isPointer =
        (key === "$ref" || key === "$dynamicRef") && typeof value === "string" && /^#(\/|$)/.test(value);
      if (isPointer) return [key, WRAPPED_PREFIX + value.slice(1)];
      return [key, DATA_KEYS.has(key) ? value : rebase(value)];
    }),
  );
}
