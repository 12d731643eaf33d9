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

/** A schema directly inside another one. */
export interface Inner {
  schema: Json;
  /** The keyword that holds it. */
  key: string;
  /** JSON Pointer from the outer schema. */
  path: string;
}

/** The schemas directly inside one, never the data in `const`, `enum`, `default` or `examples`. */
export function innerOf(schema: JsonObject): Inner[] {
  const inner: Inner[] = [];
  for (const [key, value] of Object.entries(schema)) {
    const here = pointer("", key);
    if (ONE.includes(key) && isJsonObject(value)) inner.push({ schema: value, key, path: here });
    if (LIST.includes(key) && Array.isArray(value)) {
      value.forEach((each, index) => inner.push({ schema: each, key, path: `${here}/${index}` }));
    }
    if (NAMED.includes(key) && isJsonObject(value)) {
      for (const [name, each] of Object.entries(value)) inner.push({ schema: each, key, path: pointer(here, name) });
    }
  }
  return inner;
}

/** Visits a schema and all schemas in it. */
export function walkSchema(schema: Json, visit: (schema: JsonObject, path: string) => void, path = ""): void {
  if (!isJsonObject(schema)) return;
  visit(schema, path);
  for (const inner of innerOf(schema)) walkSchema(inner.schema, visit, path + inner.path);
}
