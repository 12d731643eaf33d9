import type { Item, ItemKind, ItemOf } from "../core/item.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { Era } from "./protocol.ts";
import { isObjectSchema, wrapSchema } from "./results.ts";

/** What a list calls its items, and the method that asks for it. */
export const LIST_OF = {
  "tools/list": { kind: "tool", key: "tools" },
  "prompts/list": { kind: "prompt", key: "prompts" },
  "resources/list": { kind: "resource", key: "resources" },
  "resources/templates/list": { kind: "template", key: "resourceTemplates" },
} as const satisfies Record<string, { kind: ItemKind; key: string }>;

export type ListMethod = keyof typeof LIST_OF;

/** An item as a list of this era shows it; keys always in one order, so that equal lists are equal bytes. */
export function listed(item: Item, name: string, era: Era): object {
  const { title, description, meta } = item;
  const common = { title, description };
  switch (item.kind) {
    case "tool":
      return { name, ...common, ...toolParts(item, era), _meta: meta };
    case "prompt":
      return { name, ...common, arguments: item.arguments, _meta: meta };
    case "resource":
      return { uri: item.uri, name: item.name, ...common, mimeType: item.mimeType, _meta: meta };
    case "template":
      return { uriTemplate: item.uriTemplate, name: item.name, ...common, mimeType: item.mimeType, _meta: meta };
  }
}

function toolParts(tool: ItemOf<"tool">, era: Era): object {
  const { inputSchema, outputSchema, annotations } = tool;
  const output =
    outputSchema && era === "legacy" && !isObjectSchema(outputSchema) ? wrapSchema(outputSchema) : outputSchema;
  return { inputSchema, outputSchema: output, annotations };
}

/** A property of a tool's input that a client has to repeat as an HTTP header (SEP-2243). */
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
