import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { pointer, type Problem } from "../core/problems.ts";
import { innerOf, walkSchema } from "./walk.ts";

/** @returns what a reference inside this schema leads to; undefined for one that leads out of it or nowhere */
export type Resolve = (reference: Json | undefined) => Json | undefined;

/** References are looked up as JSON Pointers (RFC 6901) and as `$anchor`s, which are gathered when first needed. */
export function createResolver(root: JsonObject): Resolve {
  let anchors: Map<string, JsonObject> | undefined;
  return (reference) => {
    if (typeof reference !== "string" || !reference.startsWith("#")) return undefined;
    const way = decoded(reference.slice(1));
    if (way === "") return root;
    if (way.startsWith("/")) return at(root, way);
    anchors ??= anchorsOf(root);
    return anchors.get(way);
  };
}

/** Keywords whose schemas look at the same value. */
const SAME_VALUE = new Set([
  "allOf",
  "anyOf",
  "dependencies",
  "dependentSchemas",
  "else",
  "if",
  "not",
  "oneOf",
  "then",
]);

/**
 * References that lead back to where they came from while the value stays the same: no check of those ends (JSON Schema
 * 2020-12, Core 9.4.1).
 */
export function circleProblems(root: JsonObject): Problem[] {
  const resolve = createResolver(root);
  const paths = new Map<JsonObject, string>();
  walkSchema(root, (each, path) => paths.set(each, path));
  const problems: Problem[] = [];
  const open = new Set<JsonObject>();
  const done = new Set<JsonObject>();

  /** Goes deeper by one schema or one reference at a time: both are bounded by the size of the schema. */
  function enter(schema: Json | undefined): void {
    if (!isJsonObject(schema) || done.has(schema)) return;
    open.add(schema);
    for (const key of ["$ref", "$dynamicRef"]) {
      const target = resolve(schema[key]);
      if (!isJsonObject(target) || !open.has(target)) enter(target);
      else problems.push({ path: pointer(paths.get(schema) ?? "", key), message: ENDLESS });
    }
    for (const inner of innerOf(schema)) if (SAME_VALUE.has(inner.key)) enter(inner.schema);
    open.delete(schema);
    done.add(schema);
  }

  for (const schema of paths.keys()) enter(schema);
  return problems;
}

const ENDLESS = "refers to itself without end; let it go deeper into the value, such as below properties or items";

function at(root: JsonObject, way: string): Json | undefined {
  let here: Json | undefined = root;
  for (const part of way.slice(1).split("/")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, name)) return undefined;
    here = (here as JsonObject)[name];
  }
  return here;
}

function anchorsOf(root: JsonObject): Map<string, JsonObject> {
  const anchors = new Map<string, JsonObject>();
  walkSchema(root, (each) => {
    for (const key of ["$anchor", "$dynamicAnchor"]) {
      const name = each[key];
      if (typeof name === "string") anchors.set(name, each);
    }
  });
  return anchors;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
