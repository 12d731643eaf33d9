import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { pointer } from "../core/problems.ts";

/** Keywords that hold schemas, by how they hold them. JSON Schema 2020-12, Core 10 and 11; draft-07 has the rest. */
const ONE = [
  "additionalItems",
  "additionalProperties",
  "contains",
  "contentSchema",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
];
const LIST = ["allOf", "anyOf", "items", "oneOf", "prefixItems"];
const NAMED = ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

/** Visits a schema and all schemas in it, never the data in `const`, `enum`, `default` or `examples`. */
export function walkSchema(schema: Json, visit: (schema: JsonObject, path: string) => void, path = ""): void {
  if (!isJsonObject(schema)) return;
  visit(schema, path);
  for (const [key, value] of Object.entries(schema)) {
    const here = pointer(path, key);
    if (ONE.includes(key)) walkSchema(value, visit, here);
    if (LIST.includes(key) && Array.isArray(value)) {
      value.forEach((each, index) => walkSchema(each, visit, `${here}/${index}`));
    }
    if (NAMED.includes(key) && isJsonObject(value)) {
      for (const [name, each] of Object.entries(value)) walkSchema(each, visit, pointer(here, name));
    }
  }
}
