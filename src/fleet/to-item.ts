import type { ItemKind, ItemOf, PromptArgument } from "../core/item.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";

/** A line of a server's list, which was checked when it was read, as an item of ours. What we do not know stays in `extra`. */
export function toItem<K extends ItemKind>(kind: K, line: JsonObject, as: { id: string; name: string }): ItemOf<K> {
  const { name: ownName, title, description, _meta, ...more } = line;
  const common = {
    ...as,
    title: textOf(title),
    description: textOf(description),
    meta: objectOf(_meta),
  };
  const make: Record<ItemKind, () => object> = {
    tool() {
      const { inputSchema, outputSchema, annotations, ...extra } = more;
      return {
        kind,
        ...common,
        revision: 1,
        inputSchema: objectOf(inputSchema) ?? { type: "object" },
        outputSchema: objectOf(outputSchema),
        annotations: objectOf(annotations),
        extra: some(extra),
      };
    },
    prompt() {
      const { arguments: args, ...extra } = more;
      return { kind, ...common, arguments: args as unknown as PromptArgument[] | undefined, extra: some(extra) };
    },
    resource() {
      const { uri, mimeType, ...extra } = more;
      return { kind, ...common, name: textOf(ownName), uri, mimeType: textOf(mimeType), extra: some(extra) };
    },
    template() {
      const { uriTemplate, mimeType, ...extra } = more;
      return { kind, ...common, name: textOf(ownName), uriTemplate, mimeType: textOf(mimeType), extra: some(extra) };
    },
  };
  return make[kind]() as ItemOf<K>;
}

const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
const objectOf = (value: unknown) => (isJsonObject(value) ? value : undefined);
const some = (extra: JsonObject) => (Object.keys(extra).length > 0 ? extra : undefined);
