import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { ENGINE_NAMES } from "../engines/engine.ts";
import type { PackageLock } from "../machine/packages/packages.ts";
import type { EngineChoice } from "./authored.ts";
import type { ToolDraft } from "./definition.ts";

/**
 * What a revision keeps: the draft without what the store has columns for, and what was decided about it. Lists that older
 * revisions do not have are left out where they are empty.
 */
export interface ToolBody extends Omit<ToolDraft, "name" | "enabled" | Reach> {
  network?: string[];
  secrets?: string[];
  uses?: string[];
  engine: EngineChoice;
  /** Exactly the packages that run, found when the tool was made. */
  lock?: PackageLock;
  /** The packages as one script, for an engine without files. */
  bundle?: string;
  /** Plain JavaScript, where it differs from the code: TypeScript with its types blanked. */
  js?: string;
}

type Reach = "network" | "secrets" | "uses";

/** One order of keys, so that equal bodies have equal digests and diffs are short. */
const BODY_KEYS = [
  "title",
  "description",
  "image",
  "timeoutMs",
  "dependencies",
  "network",
  "secrets",
  "uses",
  "language",
  "inputSchema",
  "outputSchema",
  "annotations",
  "examples",
  "engine",
  "lock",
  "code",
  "js",
  "bundle",
] as const satisfies readonly (keyof ToolBody)[];

export function writeBody(body: ToolBody): JsonObject {
  const json: JsonObject = {};
  // Through JSON: what is stored shares nothing with what a caller may still change.
  for (const key of BODY_KEYS) if (body[key] !== undefined) json[key] = JSON.parse(JSON.stringify(body[key])) as Json;
  return json;
}

/** Enough to tell a body of ours from something else; the store vouches for its digest. */
const BODY_TYPES: Readonly<Partial<Record<keyof ToolBody, (value: Json | undefined) => boolean>>> = {
  title: (value) => value === undefined || typeof value === "string",
  description: (value) => typeof value === "string",
  image: (value) => typeof value === "string",
  timeoutMs: (value) => typeof value === "number",
  dependencies: Array.isArray,
  network: isTextsOrNothing,
  secrets: isTextsOrNothing,
  uses: isTextsOrNothing,
  lock: (value) => value === undefined || isLock(value),
  bundle: (value) => value === undefined || typeof value === "string",
  language: (value) => value === "js" || value === "ts",
  inputSchema: (value) => value === undefined || isJsonObject(value),
  outputSchema: (value) => value === undefined || isJsonObject(value),
  annotations: (value) => value === undefined || isJsonObject(value),
  examples: (value) => Array.isArray(value) && value.every(isJsonObject),
  engine: (value) => isJsonObject(value) && ENGINE_NAMES.some((name) => name === value["engine"]),
  code: (value) => typeof value === "string",
  js: (value) => value === undefined || typeof value === "string",
};

function isTextsOrNothing(value: Json | undefined): boolean {
  return value === undefined || (Array.isArray(value) && value.every((each) => typeof each === "string"));
}

function isLock(value: Json): boolean {
  const isPackage = (each: Json) => isJsonObject(each) && ["path", "name", "version", "integrity"].every((key) => typeof each[key] === "string"); // prettier-ignore
  return isJsonObject(value) && Array.isArray(value["packages"]) && value["packages"].every(isPackage);
}

/** @throws STORE_DAMAGED when this is not a body of a tool */
export function readBody(name: string, body: Json): ToolBody {
  const isOurs = isJsonObject(body);
  const wrong = isOurs ? Object.entries(BODY_TYPES).find(([key, fits]) => !fits(body[key]))?.[0] : "all of it";
  if (isOurs && wrong === undefined) return body as unknown as ToolBody;
  const why = `what is stored of ${name} cannot be read (${wrong}); roll back or delete it`;
  throw new DynamicMcpError("STORE_DAMAGED", why);
}

/** What lists need, kept as JSON text beside the body. */
export interface Summary extends Pick<
  ToolBody,
  "title" | "description" | "image" | "timeoutMs" | "dependencies" | "language" | "engine"
> {
  inputSchema?: JsonObject;
  outputSchema?: JsonObject;
  annotations?: NonNullable<ToolBody["annotations"]>;
  codeSizeBytes: number;
}

export function writeSummary(body: ToolBody): string {
  const { title, description, image, timeoutMs, dependencies, language, engine } = body;
  const { inputSchema, outputSchema, annotations } = body;
  const codeSizeBytes = Buffer.byteLength(body.code);
  return JSON.stringify({ title, description, image, timeoutMs, dependencies, language, engine, inputSchema, outputSchema, annotations, codeSizeBytes }); // prettier-ignore
}

const DAMAGED: Summary = {
  description: "This tool cannot be read from the store any more: roll it back or delete it.",
  image: "",
  timeoutMs: 0,
  dependencies: [],
  language: "js",
  engine: { engine: "quickjs", level: "", why: "" },
  codeSizeBytes: 0,
};

/** Never throws: a list shows what it can. */
export function readSummary(text: string): Summary {
  try {
    const value: unknown = JSON.parse(text);
    return isSummary(value) ? value : DAMAGED;
  } catch {
    return DAMAGED;
  }
}

/** What is listed has to have the shape that clients check: one tool of another shape costs them the whole list. */
function isSummary(value: unknown): value is Summary {
  return (
    isJsonObject(value) &&
    typeof value["description"] === "string" &&
    typeof value["codeSizeBytes"] === "number" &&
    isJsonObject(value["engine"]) &&
    Array.isArray(value["dependencies"]) &&
    (value["title"] === undefined || typeof value["title"] === "string") &&
    (value["inputSchema"] === undefined || isObjectSchema(value["inputSchema"])) &&
    (value["outputSchema"] === undefined || isJsonObject(value["outputSchema"])) &&
    (value["annotations"] === undefined || areAnnotations(value["annotations"]))
  );
}

function isObjectSchema(value: unknown): boolean {
  return isJsonObject(value) && value["type"] === "object";
}

function areAnnotations(value: unknown): boolean {
  const fits = ([key, each]: [string, unknown]) => typeof each === (key === "title" ? "string" : "boolean");
  return isJsonObject(value) && Object.entries(value).every(fits);
}
