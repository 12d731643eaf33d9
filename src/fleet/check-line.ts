import type { ItemKind } from "../core/item.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

const MAX_NAME_CHARS = 1_024;
const MAX_URI_CHARS = 8_192;

/** What is called a line's name among its kind. */
const KEY_OF = { tool: "name", prompt: "name", resource: "uri", template: "uriTemplate" } as const;

export type CheckedLine = { key: string; line: JsonObject } | { name: string; reason: string };

/**
 * Looks at one line of a server's list. One that clients would refuse, many of them together with the whole list, is
 * told with the reason; what is merely sloppy (`null` for what is absent, a schema without its type) is put right.
 */
export function checkLine(kind: ItemKind, value: Json): CheckedLine {
  if (!isJsonObject(value)) return { name: "", reason: "it is not an object" };
  const keyName = KEY_OF[kind];
  const key = value[keyName];
  if (typeof key !== "string" || key === "") return { name: shown(value["name"]), reason: `it has no ${keyName}` };
  const max = keyName === "name" ? MAX_NAME_CHARS : MAX_URI_CHARS;
  if (key.length > max)
    return { name: shown(key), reason: `its ${keyName} has ${key.length} characters, more than ${max}` };
  const line = withoutNulls(value);
  const reason = wrongType(line, COMMON) ?? wrongType(line, OF_KIND[kind]) ?? MORE[kind]?.(line);
  return reason === undefined
    ? { key, line: keyName === "name" ? inOrder(key, line) : line }
    : { name: shown(key), reason };
}

/** The name comes first in just those lines that lists of either era show as they are: see `FleetListing.text`. */
function inOrder(name: string, { name: _name, ...line }: JsonObject): JsonObject {
  const schema = line["outputSchema"];
  const isForAll = schema === undefined || (isJsonObject(schema) && schema["type"] === "object");
  return isForAll ? { name, ...line } : { ...line, name };
}

type Type = "text" | "object" | "list";
const COMMON = { title: "text", description: "text", _meta: "object", icons: "list" } as const;
const OF_KIND: Record<ItemKind, Record<string, Type>> = {
  tool: { inputSchema: "object", outputSchema: "object", annotations: "object" },
  prompt: { arguments: "list" },
  resource: { name: "text", mimeType: "text", annotations: "object" },
  template: { name: "text", mimeType: "text", annotations: "object" },
};

const MORE: Record<ItemKind, (line: JsonObject) => string | undefined> = {
  tool(line) {
    const { execution } = line;
    // Tasks are not relayed. That there are none is what most servers say.
    if (isJsonObject(execution) && execution["taskSupport"] !== "forbidden") delete line["execution"];
    const schema = line["inputSchema"];
    if (!isJsonObject(schema)) return "it has no inputSchema";
    if (schema["type"] === undefined) line["inputSchema"] = { type: "object", ...schema };
    else if (schema["type"] !== "object") return 'the type of its inputSchema is not "object"';
    return undefined;
  },
  prompt({ arguments: args }) {
    if (!Array.isArray(args)) return undefined;
    const isArgument = (each: Json) => isJsonObject(each) && typeof each["name"] === "string";
    return args.every(isArgument) ? undefined : "one of its arguments has no name";
  },
  resource: needsName,
  template: needsName,
};

function needsName({ name }: JsonObject): string | undefined {
  return name === undefined ? "it has no name" : undefined;
}

function wrongType(line: JsonObject, types: Readonly<Record<string, Type>>): string | undefined {
  for (const [key, type] of Object.entries(types)) {
    const value = line[key];
    if (value === undefined) continue;
    const isRight =
      type === "text" ? typeof value === "string" : type === "list" ? Array.isArray(value) : isJsonObject(value);
    if (!isRight) return `its ${key} is not ${type === "object" ? "an" : "a"} ${type}`;
  }
  return undefined;
}

function withoutNulls(value: JsonObject): JsonObject {
  const entries = Object.entries(value);
  return entries.some(([, each]) => each === null)
    ? Object.fromEntries(entries.filter(([, each]) => each !== null))
    : { ...value };
}

function shown(name: Json | undefined): string {
  if (typeof name !== "string") return "";
  return name.length > 100 ? `${name.slice(0, 97)}...` : name;
}
