import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { LIMITS } from "../core/limits.ts";
import { pointer, show, type Problem } from "../core/problems.ts";
import { circleProblems } from "./references.ts";
import type { SchemaRole } from "./schemas.ts";
import { walkSchema } from "./walk.ts";

export type Dialect = "2020-12" | "draft-07";

const DIALECTS: Record<string, Dialect> = {
  "https://json-schema.org/draft/2020-12/schema": "2020-12",
  "http://json-schema.org/draft-07/schema": "draft-07",
  "https://json-schema.org/draft-07/schema": "draft-07",
};

/** @returns undefined for a dialect that we do not know */
export function dialectOf(schema: JsonObject): Dialect | undefined {
  const named = schema["$schema"];
  if (named === undefined) return "2020-12";
  if (typeof named !== "string") return undefined;
  const plain = named.replace(/#$/, "");
  return Object.hasOwn(DIALECTS, plain) ? DIALECTS[plain] : undefined;
}

/**
 * What can be said without a JSON Schema library: sizes, references that leave the schema, names that would be traps.
 * The library then says whether the keywords are right.
 */
export function structureProblems(schema: unknown, role: SchemaRole): Problem[] {
  if (!isJsonObject(schema)) return [{ path: "", message: `must be a JSON Schema object, got ${show(schema)}` }];
  const shape = shapeProblem(schema);
  if (shape) return [shape];

  const bytes = Buffer.byteLength(JSON.stringify(schema));
  // The rest takes its time with each part of the schema.
  if (bytes > LIMITS.schemaBytes) {
    return [{ path: "", message: `must be at most ${LIMITS.schemaBytes} bytes of JSON, is ${bytes}` }];
  }
  const problems: Problem[] = [];
  if (!dialectOf(schema)) {
    problems.push({ path: "/$schema", message: `must be left out or be one of ${Object.keys(DIALECTS).join(", ")}, got ${show(schema["$schema"])}` }); // prettier-ignore
  }
  if (role === "input" && schema["type"] !== "object") {
    problems.push({ path: "/type", message: `must be "object": arguments are named; got ${show(schema["type"])}` });
  }
  walkSchema(schema, (each, path) => problems.push(...keywordsRefused(each, path)));
  if (problems.length === 0) problems.push(...circleProblems(schema));
  return problems;
}

/** Depth, and `__proto__`, which some program on the way would take for more than a name. */
function shapeProblem(value: Json, path = "", depth = 1): Problem | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (depth > LIMITS.schemaDepth) return { path, message: `must be nested at most ${LIMITS.schemaDepth} deep` };
  for (const [key, each] of Object.entries(value)) {
    if (key === "__proto__") return { path, message: "must not use the name __proto__" };
    const problem = shapeProblem(each, pointer(path, key), depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

function keywordsRefused(schema: JsonObject, path: string): Problem[] {
  const problems: Problem[] = [];
  // A keyword of the library alone, which would make its answer a promise.
  if (schema["$async"] !== undefined) {
    problems.push({ path: pointer(path, "$async"), message: "is not a keyword of JSON Schema; leave it out" });
  }
  for (const key of ["$ref", "$dynamicRef"]) {
    const target = schema[key];
    if (target === undefined || (typeof target === "string" && target.startsWith("#"))) continue;
    problems.push({
      path: pointer(path, key),
      message: `must point into this schema, such as "#/$defs/name"; nothing is fetched; got ${show(target)}`,
    });
  }
  if (path !== "") {
    for (const key of ["$id", "$schema"]) {
      if (schema[key] === undefined) continue;
      problems.push({ path: pointer(path, key), message: "is allowed only at the root; use $defs" });
    }
  }
  return problems;
}
