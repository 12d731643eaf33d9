import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { cut, firstSentence, oneLine } from "./one-line.ts";

/*
 * Schemas are strangers' texts and come in any size: each rule below is bounded in depth and breadth, and everything
 * that is shown is made one line.
 */
const MAX_DEPTH = 2;
/** Nesting of any kind, such as lists of choices of lists. */
const MAX_NESTING = 4;
/** Schemas looked at for one signature: references make small ones endless. */
const MAX_SCHEMAS = 400;
const MAX_PROPERTIES = 24;
const MAX_CHOICES = 8;
const MAX_CHARS = 600;
const MAX_NAME_CHARS = 64;
const MAX_DEFAULT_CHARS = 16;
const MAX_COMMENT_CHARS = 60;
/** References to references. */
const MAX_HOPS = 8;

/** Parameter names that say nothing by themselves. */
const VAGUE = new Set(["args", "body", "config", "content", "data", "id", "input", "key", "options", "params", "q", "text", "value"]); // prettier-ignore

/**
 * What a tool takes, as a model reads it fastest: `read_file({ path: string, head?: number = 10 })`. A comment stands
 * only where name and type do not tell what is meant.
 *
 * @returns one line of at most 600 characters, whatever the schema
 */
export function signatureOf(name: string, inputSchema: JsonObject): string {
  return cut(`${name}(${argumentsOf(inputSchema)})`, MAX_CHARS);
}

function argumentsOf(schema: JsonObject): string {
  if (!isJsonObject(schema["properties"])) return isOpen(schema) ? "object" : "";
  return Object.keys(schema["properties"]).length === 0
    ? ""
    : objectOf(schema, { root: schema, depth: 0, budget: { left: MAX_SCHEMAS } });
}

const isOpen = (schema: JsonObject) => ["anyOf", "oneOf", "allOf", "$ref"].some((key) => key in schema);

interface At {
  /** Where `#/...` points into. */
  root: JsonObject;
  /** Objects count whole, lists and choices half. */
  depth: number;
  budget: { left: number };
}

function typeOf(given: Json | undefined, at: At): string {
  if (at.depth > MAX_NESTING || --at.budget.left < 0) return "unknown";
  const schema = isJsonObject(given) ? resolved(given, at.root) : undefined;
  if (!schema) return "unknown";
  if ("const" in schema) return literal(schema["const"]);
  if (Array.isArray(schema["enum"])) return choices(schema["enum"].slice(0, MAX_CHOICES + 1).map(literal));
  const parts = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(parts)) return choices(parts.slice(0, MAX_CHOICES + 1).map((part) => typeOf(part, half(at))));
  const { type } = schema;
  if (Array.isArray(type)) {
    return choices(type.slice(0, MAX_CHOICES + 1).map((each) => typeOf({ ...schema, type: each }, half(at))));
  }
  if (type === "array" || "items" in schema || "prefixItems" in schema) return arrayOf(schema, at);
  if (type === "object" || "properties" in schema) return objectOf(schema, at);
  if (Array.isArray(schema["allOf"]) && schema["allOf"].length === 1) return typeOf(schema["allOf"][0], half(at));
  if (type === "integer") return "number";
  return typeof type === "string" && PLAIN.has(type) ? type : "unknown";
}

const half = (at: At): At => ({ ...at, depth: at.depth + 0.5 });

const PLAIN = new Set(["string", "number", "boolean", "null"]);

function arrayOf(schema: JsonObject, at: At): string {
  const inner = typeOf(schema["items"], half(at));
  return /[ |]/.test(inner) && !inner.startsWith("{") ? `(${inner})[]` : `${inner}[]`;
}

function objectOf(schema: JsonObject, at: At): string {
  const { properties, additionalProperties } = schema;
  if (!isJsonObject(properties) || Object.keys(properties).length === 0) {
    return isJsonObject(additionalProperties) && at.depth < MAX_DEPTH
      ? `Record<string, ${typeOf(additionalProperties, { ...at, depth: at.depth + 1 })}>`
      : "object";
  }
  if (at.depth >= MAX_DEPTH) return "object";
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const entries = Object.entries(properties);
  // What must be given first: it is what is read first, and what stays when the rest is cut.
  const inOrder = entries.toSorted(([a], [b]) => Number(required.has(b)) - Number(required.has(a)));
  const fields = inOrder.slice(0, MAX_PROPERTIES).map(([key, value]) => fieldOf(key, value, required.has(key), at));
  if (entries.length > MAX_PROPERTIES) fields.push("...");
  return `{ ${fields.join(", ")} }`;
}

function fieldOf(key: string, value: Json, isRequired: boolean, at: At): string {
  const whole = typeOf(value, { ...at, depth: at.depth + 1 });
  // That it may be null says no more than that it may be left out.
  const type = isRequired ? whole : whole.replace(/ \| null$/, "");
  const schema = isJsonObject(value) ? value : {};
  const name = /^[A-Za-z_$][\w$]*$/.test(key)
    ? cut(key, MAX_NAME_CHARS)
    : JSON.stringify(cut(oneLine(key), MAX_NAME_CHARS));
  const fallback = literal(schema["default"] ?? "");
  const hasFallback = !isRequired && fallback !== '""' && fallback.length <= MAX_DEFAULT_CHARS;
  const comment = at.depth === 0 ? commentOf(key, type, schema) : "";
  return `${name}${isRequired ? "" : "?"}: ${type}${hasFallback ? ` = ${fallback}` : ""}${comment}`;
}

function commentOf(key: string, type: string, { description, format, pattern }: JsonObject): string {
  if (typeof format === "string" && type === "string") return ` /* ${plain(format)} */`;
  const isVague = key.length <= 2 || VAGUE.has(key) || type === "unknown" || type === "object" || pattern !== undefined;
  if (!isVague || typeof description !== "string") return "";
  const text = plain(firstSentence(description));
  return text === "" ? "" : ` /* ${text} */`;
}

const plain = (text: string) => cut(oneLine(text).replaceAll("*/", ""), MAX_COMMENT_CHARS);

function choices(all: readonly string[]): string {
  const different = [...new Set(all)];
  const shown = different.slice(0, MAX_CHOICES);
  return [...shown, ...(different.length > shown.length ? ["..."] : [])].join(" | ") || "unknown";
}

function literal(value: Json | undefined): string {
  return oneLine(cut(JSON.stringify(value) ?? "null", MAX_NAME_CHARS));
}

/** Follows references within the schema. */
function resolved(schema: JsonObject, root: JsonObject): JsonObject | undefined {
  let at: JsonObject = schema;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const reference = at["$ref"];
    if (typeof reference !== "string") return at;
    const next = pointedTo(reference, root);
    if (!next) return undefined;
    at = next;
  }
  return undefined;
}

function pointedTo(reference: string, root: JsonObject): JsonObject | undefined {
  if (!reference.startsWith("#/")) return undefined;
  let at: Json | undefined = root;
  for (const key of reference.slice(2).split("/").slice(0, MAX_HOPS)) {
    const plainKey = key.replaceAll("~1", "/").replaceAll("~0", "~");
    at = isJsonObject(at) && Object.hasOwn(at, plainKey) ? at[plainKey] : undefined;
  }
  return isJsonObject(at) ? at : undefined;
}
