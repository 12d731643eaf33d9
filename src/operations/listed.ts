import listed from "./listed.json" with { type: "json" };
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { OPERATIONS } from "./all.ts";
import type { ListedSchemas } from "./operations.ts";

const LISTED: Readonly<Record<string, ListedSchemas>> = listed;

/** Schemas as clients see them, made once by `npm run generate`: making them at every start costs 30 ms. */
export function listedSchemas(name: string, { withToken }: { withToken: boolean }): ListedSchemas {
  const schemas = LISTED[name];
  if (!schemas) throw new TypeError(`${name} is not in listed.json: run npm run generate`);
  return withToken ? { ...schemas, inputSchema: addToken(schemas.inputSchema) } : schemas;
}

/** What `listed.json` has to hold. */
export async function makeListed(): Promise<Record<string, ListedSchemas>> {
  return Object.fromEntries(
    await Promise.all(OPERATIONS.map(async (each) => [each.name, await each.schemas()] as const)),
  );
}

const ADMIN_TOKEN = { type: "string", description: "The operator's token; also taken from `Authorization: Bearer`" };

function addToken(schema: JsonObject): JsonObject {
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  return { ...schema, properties: { ...properties, adminToken: ADMIN_TOKEN } };
}
