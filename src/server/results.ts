import type { AnyResult, ToolResult } from "../core/item.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
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
 * so that a large result is written once.
 */
export function createResultWriter(serverInfo: Implementation) {
  const stamp = `"resultType":"complete","_meta":${JSON.stringify({ [META.serverInfo]: serverInfo })}}`;

  return {
    write(era: Era, result: object, hint?: CacheHint): string {
      if (era === "legacy") return JSON.stringify(result);
      const hinted = hint ? { ...result, ...hint } : result;
      const meta = (result as { _meta?: unknown })._meta;
      if (isJsonObject(meta) || "resultType" in result) {
        const own = isJsonObject(meta) ? meta : {};
        return JSON.stringify({ resultType: "complete", ...hinted, _meta: { ...own, [META.serverInfo]: serverInfo } });
      }
      const text = JSON.stringify(hinted);
      return text === "{}" ? `{${stamp}` : `${text.slice(0, -1)},${stamp}`;
    },
  };
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
