import type { output, ZodType } from "zod";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { once } from "../core/once.ts";
import { unfit, zodProblems } from "../core/problems.ts";
import type { ListedSchemas, Operation, OperationSpec } from "./operations.ts";

const zod = once(() => import("../core/zod.ts"));

/** An operation out of its parts. */
export function operation<I extends ZodType>(spec: OperationSpec<I>): Operation {
  const { name, toolset, title, description, permission, annotations, accept, handle } = spec;
  const input = once(spec.input);

  async function schemas(): Promise<ListedSchemas> {
    const z = await zod();
    const jsonSchema = (schema: ZodType, io: "input" | "output") => {
      const { $schema: _dialect, ...plain } = z.toJSONSchema(schema, {
        io,
        unrepresentable: "any",
        // What says nothing: that numbers are what JavaScript takes for numbers, that anything more is allowed. Models
        // pay for each word.
        override({ jsonSchema: each }) {
          if (isJsonObject(each.additionalProperties) && Object.keys(each.additionalProperties).length === 0) {
            delete each.additionalProperties;
          }
          if (each.maximum === Number.MAX_SAFE_INTEGER) delete each.maximum;
          if (each.minimum === Number.MIN_SAFE_INTEGER) delete each.minimum;
        },
      });
      return plain as JsonObject;
    };
    return {
      inputSchema: jsonSchema(input(z), "input"),
      ...(spec.output && { outputSchema: jsonSchema(spec.output(z), "output") }),
    };
  }

  return {
    name,
    toolset,
    title,
    description,
    permission,
    annotations: { title, ...annotations },
    schemas,

    async check(args) {
      const meant = accept?.(args) ?? args;
      const parsed = input(await zod()).safeParse(meant);
      if (parsed.success) return parsed.data as JsonObject;
      const { inputSchema } = await schemas();
      const problems = zodProblems(parsed.error, meant, (path) => keysAt(inputSchema, path));
      throw unfit(`the arguments of ${name} do not fit`, problems);
    },

    // What passed `check` is what the schema gives out.
    run: (services, args, ctx) => handle(services, args as output<I>, ctx),
  };
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
