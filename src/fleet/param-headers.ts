import { headerParams, type HeaderParam } from "../core/header-params.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

/** By identity of the schema, which lives as long as its tool. */
const KNOWN = new WeakMap<JsonObject, readonly HeaderParam[]>();

/**
 * What a call repeats of its arguments as HTTP headers, because the tool's schema says so.
 *
 * @returns undefined when there is nothing; names in lower case, values as they are
 */
export function paramHeaders(schema: JsonObject, args: JsonObject): Record<string, string> | undefined {
  let params = KNOWN.get(schema);
  if (!params) KNOWN.set(schema, (params = headerParams(schema)));
  if (params.length === 0) return undefined;
  const headers: Record<string, string> = {};
  for (const { path, header } of params) {
    const value = valueAt(args, path);
    if (value === undefined || value === null || typeof value === "object") continue;
    headers[`mcp-param-${header}`] = String(value);
  }
  return headers;
}

function valueAt(args: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = args;
  for (const key of path) value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}
