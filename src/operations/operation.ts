import * as z from "zod";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { once } from "../core/once.ts";
import { unfit, zodProblems } from "../core/problems.ts";
import type { Operation, OperationSpec } from "./operations.ts";

/** An operation out of its parts. Schemas are made when first needed, so that an unused one costs no start-up time. */
export function operation<I extends z.ZodType>(spec: OperationSpec<I>): Operation {
  const { name, toolset, title, description, permission, annotations, output, accept, handle } = spec;
  const input = once(spec.input);
  const inputSchema = once(() => jsonSchemaOf(input(), "input"));
  const outputSchema = once(() => output && jsonSchemaOf(output(), "output"));
  return {
    name,
    toolset,
    title,
    description,
    permission,
    annotations: { title, ...annotations },
    inputSchema,
    outputSchema,

    check(args) {
      const meant = accept?.(args) ?? args;
      const parsed = input().safeParse(meant);
      if (parsed.success) return parsed.data as JsonObject;
      const problems = zodProblems(parsed.error, meant, (path) => keysAt(inputSchema(), path));
      throw unfit(`the arguments of ${name} do not fit`, problems);
    },

    // What passed `check` is what the schema gives out.
    run: (services, args, ctx) => handle(services, args as z.output<I>, ctx),
  };
}

function jsonSchemaOf(schema: z.ZodType, io: "input" | "output"): JsonObject {
  const { $schema: _dialect, ...plain } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return plain as JsonObject;
}

/** Names that an object at this path of the schema may have. */
function keysAt(schema: JsonObject, path: readonly PropertyKey[]): string[] {
  let at: Json | undefined = schema;
  for (const key of path) {
    if (!isJsonObject(at)) return [];
    const properties: Json | undefined = at["properties"];
    if (typeof key === "number") at = at["items"];
    else at = isJsonObject(properties) && Object.hasOwn(properties, key) ? properties[String(key)] : undefined;
  }
  const properties = isJsonObject(at) ? at["properties"] : undefined;
  return isJsonObject(properties) ? Object.keys(properties) : [];
}
