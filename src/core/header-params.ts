import { isJsonObject, type JsonObject } from "./json.ts";

/** A property of a tool's input that is repeated as an HTTP header (SEP-2243). */
export interface HeaderParam {
  path: string[];
  /** Without `Mcp-Param-`, in lower case. */
  header: string;
  isNumber: boolean;
}

/** Properties with `x-mcp-header`, reached through `properties` only. */
export function headerParams(schema: JsonObject): HeaderParam[] {
  const found: HeaderParam[] = [];
  const visit = (node: JsonObject, path: string[]) => {
    const header = node["x-mcp-header"];
    if (typeof header === "string" && path.length > 0) {
      const isNumber = node["type"] === "integer" || node["type"] === "number";
      found.push({ path, header: header.toLowerCase(), isNumber });
    }
    if (!isJsonObject(node["properties"])) return;
    for (const [key, child] of Object.entries(node["properties"])) {
      if (isJsonObject(child)) visit(child, [...path, key]);
    }
  };
  visit(schema, []);
  return found;
}
