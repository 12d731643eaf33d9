import type { ToolView } from "../authored/authored.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

/** Arguments that show the shape of a call: the first example's, else one value for each required property. */
export function sampleArguments(tool: ToolView, example: JsonObject | undefined): JsonObject {
  if (example) return example;
  const properties = tool.inputSchema?.["properties"];
  const required = tool.inputSchema?.["required"];
  if (!isJsonObject(properties) || !Array.isArray(required)) return {};
  const sample: JsonObject = {};
  for (const name of required) {
    if (typeof name === "string" && Object.hasOwn(properties, name)) sample[name] = sampleOf(properties[name]);
  }
  return sample;
}

function sampleOf(schema: Json | undefined): Json {
  if (!isJsonObject(schema)) return "...";
  const { enum: values, type, default: fallback, minimum } = schema;
  if (fallback !== undefined) return fallback;
  if (Array.isArray(values) && values[0] !== undefined) return values[0];
  if (type === "number" || type === "integer") return typeof minimum === "number" ? minimum : 1;
  if (type === "boolean") return true;
  if (type === "array") return [];
  if (type === "object") return {};
  return "...";
}

/** How a model reaches the tool now, whether or not its client looks at the list again. */
export function howToCall(listedName: string, sample: JsonObject): { text: string; content: JsonObject } {
  const viaToolCall = { name: listedName, arguments: sample };
  return {
    text: `Call it as ${listedName}. If that name is not among your tools yet, call tool_call with ${JSON.stringify(viaToolCall)}.`,
    content: { name: listedName, arguments: sample, viaToolCall: { name: "tool_call", arguments: viaToolCall } },
  };
}
