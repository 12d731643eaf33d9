import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

/** As many are told of at once. */
const MAX_PROBLEMS = 5;

/**
 * What keeps the content of an accepted form from fitting the schema it was asked by: flat, with texts, numbers, yes or
 * no, and choices (client/elicitation). What such a schema cannot say is not looked at, and defaults are the client's
 * business. Values are not repeated: they are the user's.
 *
 * @param params of `elicitation/create`
 * @param answer to it, of whatever action
 * @returns sentences; none when it fits
 */
export function problemsOfForm(params: JsonObject, answer: JsonObject): string[] {
  const { mode, requestedSchema: schema } = params;
  if (answer["action"] !== "accept" || mode === "url" || !isJsonObject(schema)) return [];
  const content = answer["content"] ?? {};
  if (!isJsonObject(content)) return ["`content` must be an object"];
  const fields = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const problems: string[] = [];
  for (const name of required) {
    if (typeof name === "string" && !Object.hasOwn(content, name)) problems.push(`${JSON.stringify(name)} is missing`);
  }
  for (const [name, field] of Object.entries(fields)) {
    const value = Object.hasOwn(content, name) ? content[name] : undefined;
    const wanted = value === undefined || !isJsonObject(field) ? undefined : unmet(field, value);
    if (wanted) problems.push(`${JSON.stringify(name)} must be ${wanted}`);
  }
  return problems.slice(0, MAX_PROBLEMS);
}

/** @returns what the value should have been; undefined when it is */
function unmet(field: JsonObject, value: Json): string | undefined {
  switch (field["type"]) {
    case "string":
      return typeof value === "string" ? unmetText(field, value) : "a text";
    case "number":
    case "integer":
      return unmetNumber(field, value);
    case "boolean":
      return typeof value === "boolean" ? undefined : "true or false";
    case "array":
      return Array.isArray(value) ? unmetList(field, value) : "a list";
    default:
      return undefined;
  }
}

function unmetText(field: JsonObject, value: string): string | undefined {
  const choices = choicesOf(field);
  if (choices) return choices.includes(value) ? undefined : "one of the choices";
  const format = typeof field["format"] === "string" ? field["format"] : "";
  const isFormat = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (isFormat && !isFormat(value)) return `of the format ${format}`;
  // JSON Schema counts code points.
  return unmetBounds(Array.from(value).length, field["minLength"], field["maxLength"], "characters");
}

function unmetNumber(field: JsonObject, value: Json): string | undefined {
  if (typeof value !== "number") return "a number";
  if (field["type"] === "integer" && !Number.isInteger(value)) return "a whole number";
  return unmetBounds(value, field["minimum"], field["maximum"], "");
}

function unmetList(field: JsonObject, values: Json[]): string | undefined {
  const choices = isJsonObject(field["items"]) ? choicesOf(field["items"]) : undefined;
  if (choices && !values.every((value) => choices.includes(value))) return "a list of some of the choices";
  return unmetBounds(values.length, field["minItems"], field["maxItems"], "items");
}

function unmetBounds(value: number, min: Json | undefined, max: Json | undefined, unit: string): string | undefined {
  if (typeof min === "number" && value < min) return `at least ${min} ${unit}`.trim();
  if (typeof max === "number" && value > max) return `at most ${max} ${unit}`.trim();
  return undefined;
}

/** Written as `enum`, or as a list of `const` with titles. */
function choicesOf(field: JsonObject): Json[] | undefined {
  if (Array.isArray(field["enum"])) return field["enum"];
  const titled = field["oneOf"] ?? field["anyOf"];
  if (!Array.isArray(titled)) return undefined;
  const choices = titled.map((each) => (isJsonObject(each) ? each["const"] : undefined));
  return choices.every((choice) => choice !== undefined) ? choices : undefined;
}

const isDate = (text: string) =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;

/** All that the specification names. */
const FORMATS: Record<string, (text: string) => boolean> = {
  email: (text) => /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text) => URL.canParse(text),
  date: isDate,
  "date-time": (text) =>
    /^[\d-]{10}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/.test(text) && isDate(text.slice(0, 10)),
};
