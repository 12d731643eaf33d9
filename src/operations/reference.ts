import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { wireName } from "../core/names.ts";
import { OPERATIONS } from "./all.ts";
import type { ListedSchemas } from "./operations.ts";
import { descriptionOf } from "./create-operations.ts";
import { PROFILES, type ProfileName } from "./profiles.ts";

/** `docs/reference/tools.md`: what clients see of our operations. @param listed  what `listed.json` holds */
export function toolsPage(listed: Readonly<Record<string, ListedSchemas>>): string {
  const lines = [
    "# Built-in tools",
    "",
    "Made by `npm run generate` from `src/operations`; do not edit.",
    "",
    "Names are listed with underscores, because many clients accept no dots; both spellings can be called. A profile",
    "(`--profile`, `MCP_PROFILE`; `a,b` unites) says which tools are listed. What it does not list can still be called.",
    "Unknown arguments are refused with the nearest known name.",
    "",
    "`tool_search`, `tool_describe` and `tool_call`, or `get_dynamic_tools` and `call_dynamic_tool`, are listed in every",
    "profile where other tools are reached through them (`--exposure`).",
    "",
    "Where the operator has set an admin token, tools marked `author` take it as the argument `adminToken`, or as",
    "`Authorization: Bearer` of the connection. Tools marked `operate` always need it.",
    "",
    "| tool | profiles | needs |",
    "| --- | --- | --- |",
    ...OPERATIONS.map(({ name, toolset, permission }) =>
      row(
        `[\`${wireName(name)}\`](#${wireName(name)})`,
        profilesOf(toolset).join(", "),
        permission === "use" ? "" : `\`${permission}\``,
      ),
    ),
  ];
  for (const { name, title, description, annotations } of OPERATIONS) {
    const { inputSchema = {}, outputSchema } = listed[name] ?? {};
    const hints = Object.entries(annotations).flatMap(([key, value]) => (value === true ? [HINTS[key] ?? key] : []));
    lines.push("", `## ${wireName(name)}`, "", `${title}.${hints.length > 0 ? ` (${hints.join(", ")})` : ""}`, "");
    lines.push(...paragraphs(descriptionOf({ description }, NO_SERVERS)));
    lines.push(...fieldTable("argument", inputSchema));
    if (outputSchema) lines.push(...fieldTable("result (`structuredContent`)", outputSchema));
  }
  return `${lines.join("\n")}\n`;
}

/** What a description that tells of servers says when there are none. */
const NO_SERVERS = {
  hasLocalTools: () => false,
  fleet: {
    servers: () => [],
    server: () => undefined,
    known: () => Promise.reject(new Error("no servers")),
    onChange: () => () => {},
  },
};

const HINTS: Readonly<Record<string, string>> = {
  readOnlyHint: "changes nothing",
  destructiveHint: "may destroy",
  idempotentHint: "may be repeated",
  openWorldHint: "reaches beyond this server",
};

function profilesOf(toolset: string): string[] {
  const names = Object.keys(PROFILES) as ProfileName[];
  return names.filter((name) => PROFILES[name].some((each) => each === toolset)).map((name) => `\`${name}\``);
}

/** The words, and the example as code of its own. */
function paragraphs(description: string): string[] {
  const [words = "", ...rest] = description.split(" Example: ");
  const example = rest.join(" Example: ");
  const end = example.lastIndexOf("}") + 1;
  const after = example.slice(end).replace(/^\. ?/, "");
  return example === "" ? [words] : [words + (after ? ` ${after}` : ""), "", "```json", example.slice(0, end), "```"];
}

function fieldTable(what: string, schema: JsonObject): string[] {
  const rows = fieldRows(schema, "");
  return rows.length === 0 ? [] : ["", `| ${what} | type | meaning |`, "| --- | --- | --- |", ...rows];
}

function fieldRows(schema: JsonObject, prefix: string): string[] {
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(properties).flatMap(([key, value]) => {
    if (!isJsonObject(value)) return [];
    const name = `${prefix}${key}`;
    const mark = required.includes(key) ? "" : " (optional)";
    const own = row(`\`${name}\`${mark}`, typeOf(value), meaningOf(value));
    const items: Json | undefined = value["items"];
    return [own, ...fieldRows(value, `${name}.`), ...(isJsonObject(items) ? fieldRows(items, `${name}[].`) : [])];
  });
}

function typeOf(schema: JsonObject): string {
  const { type, anyOf, enum: values } = schema;
  if (Array.isArray(values)) return values.map((each) => `\`${JSON.stringify(each)}\``).join(" or ");
  if (Array.isArray(anyOf)) return anyOf.map((each) => (isJsonObject(each) ? typeOf(each) : "")).join(" or ");
  return typeof type === "string" ? type : "any";
}

function meaningOf(schema: JsonObject): string {
  const { description, anyOf } = schema;
  const inner = Array.isArray(anyOf) ? anyOf.find(isJsonObject) : undefined;
  const text = typeof description === "string" ? description : inner && meaningOf(inner);
  const fallback = schema["default"];
  const ends = [
    range(schema["minimum"], schema["maximum"], ""),
    range(schema["minLength"], schema["maxLength"], " characters"),
    range(schema["minItems"], schema["maxItems"], " items"),
    fallback === undefined ? "" : `default \`${JSON.stringify(fallback)}\``,
  ];
  return [text, ends.filter(Boolean).join(", ")].filter(Boolean).join("; ");
}

function range(min: Json | undefined, max: Json | undefined, unit: string): string {
  if (typeof max !== "number") return typeof min === "number" ? `at least ${min}${unit}` : "";
  return typeof min === "number" ? `${min} to ${max}${unit}` : `at most ${max}${unit}`;
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}
