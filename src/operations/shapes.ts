import type { Accepted, ToolView } from "../authored/authored.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type * as Zod from "../core/zod.ts";

type Z = typeof Zod;

/** What several operations take or give. */

export const toolName = (z: Z) => z.string().min(1).describe("Name of the tool, in either spelling");

export const expectedRevision = (z: Z) =>
  z.int().min(1).exactOptional().describe("Only if this is still the newest revision; else REVISION_CONFLICT");

export const dryRun = (z: Z) =>
  z.boolean().default(false).describe("true: check everything and run the examples, but keep nothing");

/** Every client pays for what is listed, so a schema names what a model needs next and leaves the rest open. */
const toolView = (z: Z) =>
  z.looseObject({ name: z.string(), wireName: z.string(), revision: z.int(), enabled: z.boolean() });

export const toolResult = (z: Z) => z.looseObject({ tool: toolView(z) });
export const toolsResult = (z: Z) =>
  z.looseObject({ tools: z.array(toolView(z)), total: z.int(), nextCursor: z.string().exactOptional() });

/** What changed and what did not, as structured content. */
export function acceptedContent({ tool, isWritten, examples }: Accepted): JsonObject {
  return { tool, isWritten, ...(examples.length > 0 && { examples }) };
}

export function examplesText(count: number): string {
  return count === 0 ? "" : ` ${count === 1 ? "The example" : `All ${count} examples`} passed.`;
}

export function engineText({ engine, warnings = [] }: ToolView): string {
  const notes = warnings.map((warning) => ` Note: ${warning}.`).join("");
  return `Runs in ${engine.engine} (${engine.level}): ${engine.why}.${notes}`;
}

/**
 * Some models write the arguments of another tool as a JSON text, or under the other name that is in use for them.
 *
 * @param key the documented one
 */
export function withObject(given: JsonObject, key: "arguments" | "args"): JsonObject {
  const other = key === "args" ? "arguments" : "args";
  const { [other]: theirs, ...args } = given;
  if (args[key] === undefined && theirs === undefined) return args;
  return { ...args, [key]: unwrapped(args[key] ?? theirs ?? null) };
}

/** Largest text that is read, in characters. */
const MAX_TEXT_CHARS = 10_000_000;

function unwrapped(value: Json): Json {
  if (value === null || value === "") return {};
  if (typeof value !== "string" || value.length > MAX_TEXT_CHARS) return value;
  try {
    const read = JSON.parse(value) as Json;
    return isJsonObject(read) ? read : value;
  } catch {
    return value; // the check says what is wrong with it
  }
}
