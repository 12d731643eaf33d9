import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { Setting } from "./setting.ts";
import * as zod from "../core/zod.ts";

/** The JSON Schema of one value, made from its zod type. */
export function valueSchema(one: Setting<unknown>): JsonObject {
  const { $schema: _, ...schema } = zod.toJSONSchema(one.type(zod));
  return schema as JsonObject;
}

/** What a value must be, as the end of a sentence: `a whole number from 0 to 65535`. */
export function expects(one: Setting<unknown>): string {
  return one.expects ?? inWords(valueSchema(one));
}

function inWords(schema: JsonObject): string {
  const { type, format } = schema;
  const [least, most, longest] = ["minimum", "maximum", "maxLength"].map((key) => JSON.stringify(schema[key]));
  const items = isJsonObject(schema["items"]) ? words(schema["items"]) : undefined;
  if (words(schema)) return `one of ${words(schema)}`;
  if (type === "boolean") return "true or false (1, yes, on, 0, no and off are understood too)";
  if (type === "integer") return `a whole number from ${least} to ${most}`;
  if (type === "number") return `a number from ${least} to ${most}`;
  if (type === "array") return items ? `a list of these: ${items}` : "a list, separated by commas";
  return format === "uri" ? "a URL" : `a text of 1 to ${longest} characters`;
}

/** What may be chosen, if it is a choice. */
export function choices(schema: JsonObject): string[] {
  const each: Json | undefined = schema["enum"];
  return Array.isArray(each) ? each.filter((word) => typeof word === "string") : [];
}

const words = (schema: JsonObject) => choices(schema).join(", ");
