import type { JsonObject } from "../core/json.ts";

/*
 * MCP's older revisions let `structuredContent` be an object only. What code returns is an object or not; a tool with
 * an output schema has to say so once and for all, so that clients which check never see a surprise.
 */

/** Whether results of a tool with this schema travel as `{ result }`. */
export function isWrapped(outputSchema: JsonObject): boolean {
  return outputSchema["type"] !== "object";
}

/** The schema that clients see; references inside are moved along. */
export function listedOutputSchema(outputSchema: JsonObject | undefined): JsonObject | undefined {
  if (!outputSchema || !isWrapped(outputSchema)) return outputSchema;
  const { $schema, $id: _name, ...schema } = outputSchema;
  const wrapped: JsonObject = {
    type: "object",
    properties: { result: moved(schema) },
    required: ["result"],
    additionalProperties: false,
  };
  return $schema === undefined ? wrapped : { $schema, ...wrapped };
}

const ROOT = "#/properties/result";

/** References by JSON Pointer start from the new root; those by `$anchor` find their target as before. */
function moved<T extends JsonObject[string]>(value: T): T {
  if (Array.isArray(value)) return value.map(moved) as T;
  if (typeof value !== "object" || value === null) return value;
  const copy: JsonObject = {};
  for (const [key, each] of Object.entries(value)) {
    const isPointer = key === "$ref" && typeof each === "string" && (each === "#" || each.startsWith("#/"));
    copy[key] = isPointer ? ROOT + each.slice(1) : moved(each);
  }
  return copy as T;
}
