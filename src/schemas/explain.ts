import type { ErrorObject } from "ajv";
import { isJsonObject } from "../core/json.ts";
import { pointer, show, unknownProperty, type Problem } from "../core/problems.ts";

const MAX_PROBLEMS = 20;

/** Ajv's errors (made with `verbose`) in words that name what was expected and what came. */
export function explain(errors: readonly ErrorObject[]): Problem[] {
  const told = new Set<string>();
  const problems: Problem[] = [];
  for (const error of errors) {
    // Says only that one of the errors beside it happened.
    if (error.keyword === "if") continue;
    const problem = explainOne(error);
    const key = `${problem.path}\n${problem.message}`;
    if (told.has(key)) continue;
    told.add(key);
    problems.push(problem);
    if (problems.length === MAX_PROBLEMS) break;
  }
  return problems;
}

function explainOne(error: ErrorObject): Problem {
  const path = error.instancePath;
  const got = `got ${show(error.data)}`;
  const params: Record<string, unknown> = error.params;
  switch (error.keyword) {
    case "type":
      return { path, message: `must be ${asList(params["type"])}, ${got}` };
    case "required": {
      const name = String(params["missingProperty"]);
      return { path: pointer(path, name), message: `is required${typeOf(error, name)}` };
    }
    case "additionalProperties":
    case "unevaluatedProperties": {
      const name = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
      const present = isJsonObject(error.data) ? Object.keys(error.data) : [];
      return { path, message: unknownProperty(name, propertiesOf(error.parentSchema), present) };
    }
    case "enum":
      return { path, message: `must be one of ${enumOf(params["allowedValues"])}, ${got}` };
    case "const":
      return { path, message: `must be ${JSON.stringify(params["allowedValue"])}, ${got}` };
    case "false schema":
      return { path, message: "is not allowed here" };
    default:
      return { path, message: `${error.message ?? `does not fit "${error.keyword}"`}, ${got}` };
  }
}

function propertiesOf(schema: unknown): string[] {
  const properties: unknown = isJsonObject(schema) ? schema["properties"] : undefined;
  return isJsonObject(properties) ? Object.keys(properties) : [];
}

/** The type and description of a missing property, so that the next try is right. */
function typeOf(error: ErrorObject, name: string): string {
  const properties: unknown = error.parentSchema?.["properties"];
  const schema: unknown = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (!isJsonObject(schema)) return "";
  const { type, description } = schema;
  const words = [
    typeof type === "string" ? type : undefined,
    typeof description === "string" ? description.slice(0, 120) : undefined,
  ].filter((each) => each !== undefined);
  return words.length > 0 ? ` (${words.join(": ")})` : "";
}

const asList = (types: unknown) => (Array.isArray(types) ? types.join(" or ") : String(types).replaceAll(",", " or "));

function enumOf(values: unknown): string {
  if (!Array.isArray(values)) return String(values);
  const shown = values.slice(0, 20).map((value) => JSON.stringify(value)?.slice(0, 60));
  return shown.join(", ") + (values.length > shown.length ? `, ... (${values.length} in all)` : "");
}
