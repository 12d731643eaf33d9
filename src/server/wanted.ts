import type { Wanted } from "../core/call.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { invalidParams } from "./protocol.ts";

/** Methods that run something, and how their params say what. All of them throw -32602 for params of another shape. */
export const READ_WANTED = {
  "tools/call": (params) => ({ kind: "tool", name: text(params, "name"), args: args(params) }),
  "prompts/get": (params) => ({
    kind: "prompt",
    name: text(params, "name"),
    args: texts(params["arguments"], "arguments"),
  }),
  "resources/read": (params) => ({ kind: "resource", uri: text(params, "uri") }),
  "completion/complete": completion,
} as const satisfies Record<string, (params: JsonObject) => Wanted>;

export type RunMethod = keyof typeof READ_WANTED;

export function isRunMethod(method: string): method is RunMethod {
  return Object.hasOwn(READ_WANTED, method);
}

function args(params: JsonObject): JsonObject {
  const given = params["arguments"];
  if (given === undefined) return {};
  if (!isJsonObject(given)) throw invalidParams("`arguments` must be an object");
  return given;
}

function completion(params: JsonObject): Wanted {
  const { ref, argument, context } = params;
  if (!isJsonObject(ref)) throw invalidParams("`ref` must be an object");
  if (!isJsonObject(argument)) throw invalidParams("`argument` must be an object");
  return {
    kind: "completion",
    ref: readRef(ref),
    argument: { name: text(argument, "name"), value: text(argument, "value") },
    context: texts(isJsonObject(context) ? context["arguments"] : undefined, "context.arguments"),
  };
}

function readRef(ref: JsonObject): { kind: "prompt"; name: string } | { kind: "resource"; uri: string } {
  if (ref["type"] === "ref/prompt") return { kind: "prompt", name: text(ref, "name") };
  if (ref["type"] === "ref/resource") return { kind: "resource", uri: text(ref, "uri") };
  throw invalidParams('`ref.type` must be "ref/prompt" or "ref/resource"');
}

export function text(from: JsonObject, key: string): string {
  const value = from[key];
  if (typeof value !== "string") throw invalidParams(`\`${key}\` must be a text`);
  return value;
}

function texts(value: Json | undefined, name: string): Record<string, string> {
  if (value === undefined) return {};
  const isFit = isJsonObject(value) && Object.values(value).every((each) => typeof each === "string");
  if (!isFit) throw invalidParams(`\`${name}\` must be an object of texts`);
  return value as Record<string, string>;
}
