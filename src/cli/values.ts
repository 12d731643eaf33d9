import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { CommandContext } from "./command.ts";

/** A value as given: itself, `@file` for what a file holds, `-` for what comes in. */
export async function readValue(context: CommandContext, value: string): Promise<string> {
  if (value === "-") return await text(context.terminal.stdin);
  if (!value.startsWith("@")) return value;
  return await readText(resolve(context.cwd, value.slice(1)));
}

/** @throws INVALID_ARGUMENTS when the file cannot be read */
async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DynamicMcpError("INVALID_ARGUMENTS", `${path} cannot be read: ${reason}`, { cause });
  }
}

/** @param what for the message: `--args` */
export function parseJson(source: string, what: string): Json {
  try {
    return JSON.parse(source) as Json;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DynamicMcpError("INVALID_ARGUMENTS", `${what} is not JSON: ${reason}`, { cause });
  }
}

export function parseObject(source: string, what: string): JsonObject {
  const value = parseJson(source, what);
  if (isJsonObject(value)) return value;
  throw new DynamicMcpError("INVALID_ARGUMENTS", `${what} has to be a JSON object, such as '{"text":"hi"}'`);
}

/** @throws INVALID_ARGUMENTS unless it is a whole number of at least `min` */
export function wholeNumber(value: string, what: string, min = 0): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min) return number;
  throw new DynamicMcpError("INVALID_ARGUMENTS", `${what}: ${JSON.stringify(value)} is not a whole number from ${min}`);
}
