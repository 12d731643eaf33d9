import type { Item, ItemKind, ItemOf } from "../core/item.ts";
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

/**
 * An item as a list of this era shows it; keys always in one order, so that equal lists are equal bytes. What is listed
 * beyond our own members comes as it is and takes the place of none.
 */
export function listed(item: Item, name: string, era: Era): object {
  const own = ownMembers(item, name, era);
  const { meta, extra } = item;
  return extra ? { ...own, ...extra, ...own, _meta: meta } : { ...own, _meta: meta };
}

function ownMembers(item: Item, name: string, era: Era): object {
  const { title, description } = item;
  switch (item.kind) {
    case "tool":
      return { name, title, description, ...toolParts(item, era) };
    case "prompt":
      return { name, title, description, arguments: item.arguments };
    case "resource":
      return { uri: item.uri, name: item.name, title, description, mimeType: item.mimeType };
    case "template":
      return { uriTemplate: item.uriTemplate, name: item.name, title, description, mimeType: item.mimeType };
  }
}

function toolParts(tool: ItemOf<"tool">, era: Era): object {
  const { inputSchema, outputSchema, annotations } = tool;
  const output =
    outputSchema && era === "legacy" && !isObjectSchema(outputSchema) ? wrapSchema(outputSchema) : outputSchema;
  return { inputSchema, outputSchema: output, annotations };
}
