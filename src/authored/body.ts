import * as z from "zod";
import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { once } from "../core/once.ts";
import { ENGINE_NAMES } from "../engines/engine.ts";
import type { EngineChoice } from "./authored.ts";
import type { ToolDraft } from "./definition.ts";

/** What a revision keeps: the draft without what the store has columns for, and what was decided about it. */
export interface ToolBody extends Omit<ToolDraft, "name" | "enabled"> {
  engine: EngineChoice;
  /** Plain JavaScript, where it differs from the code: TypeScript with its types blanked. */
  js?: string;
}

/** One order of keys, so that equal bodies have equal digests and diffs are short. */
const BODY_KEYS = [
  "title",
  "description",
  "image",
  "timeoutMs",
  "dependencies",
  "language",
  "inputSchema",
  "outputSchema",
  "annotations",
  "examples",
  "engine",
  "code",
  "js",
] as const satisfies readonly (keyof ToolBody)[];

export function writeBody(body: ToolBody): JsonObject {
  const json: JsonObject = {};
  // Through JSON: what is stored shares nothing with what a caller may still change.
  for (const key of BODY_KEYS) if (body[key] !== undefined) json[key] = JSON.parse(JSON.stringify(body[key])) as Json;
  return json;
}

const object = () => z.custom<JsonObject>(isJsonObject);
const storedBody = once(() =>
  z.object({
    title: z.string().exactOptional(),
    description: z.string(),
    image: z.string(),
    timeoutMs: z.number(),
    dependencies: z.array(z.object({ name: z.string(), version: z.string() })),
    language: z.enum(["js", "ts"]),
    inputSchema: object().exactOptional(),
    outputSchema: object().exactOptional(),
    annotations: z.custom<NonNullable<ToolDraft["annotations"]>>(isJsonObject).exactOptional(),
    examples: z.array(z.custom<ToolDraft["examples"][number]>(isJsonObject)),
    engine: z.object({ engine: z.enum(ENGINE_NAMES), level: z.string(), why: z.string() }),
    code: z.string(),
    js: z.string().exactOptional(),
  }),
);

/** @throws STORE_DAMAGED when this is not a body of a tool */
export function readBody(name: string, body: Json): ToolBody {
  const parsed = storedBody().safeParse(body);
  if (parsed.success) return parsed.data;
  const what = parsed.error.issues[0]?.path.join(".") ?? "";
  throw new DynamicMcpError(
    "STORE_DAMAGED",
    `what is stored of ${name} cannot be read (${what}); roll back or delete it`,
  );
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

/** We wrote it, and the store keeps texts byte for byte: enough to tell ours from something else. */
function isSummary(value: unknown): value is Summary {
  return (
    isJsonObject(value) &&
    typeof value["description"] === "string" &&
    typeof value["codeSizeBytes"] === "number" &&
    isJsonObject(value["engine"]) &&
    Array.isArray(value["dependencies"])
  );
}
