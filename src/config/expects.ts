import { toJSONSchema } from "zod";
import type { JsonObject } from "../core/json.ts";
import type { Setting } from "./setting.ts";
import * as zod from "./zod.ts";

/** The JSON Schema of one value, made from its zod type. */
export function valueSchema(one: Setting<unknown>): JsonObject {
  const { $schema: _, ...schema } = toJSONSchema(one.type(zod));
  return schema as JsonObject;
}

/** What a value must be, as the end of a sentence: `a whole number from 0 to 65535`. */
export function expects(one: Setting<unknown>): string {
  return one.expects ?? inWords(valueSchema(one));
}

function inWords(schema: JsonObject): string {
  const { type, enum: values, minimum, maximum, items, format } = schema;
  if (Array.isArray(values)) return `one of ${values.join(", ")}`;
  if (type === "boolean") return "true or false (1, yes, on, 0, no and off are understood too)";
  if (type === "integer") return `a whole number from ${String(minimum)} to ${String(maximum)}`;
  if (type === "number") return `a number from ${String(minimum)} to ${String(maximum)}`;
  if (type === "array") {
    const each = (items ?? {}) as JsonObject;
    return Array.isArray(each["enum"]) ? `a list of these: ${each["enum"].join(", ")}` : "a list, separated by commas";
  }
  return format === "uri" ? "a URL" : `a text of 1 to ${String(schema["maxLength"])} characters`;
}
