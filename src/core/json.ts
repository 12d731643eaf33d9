/** Plain JSON, as `JSON.parse` gives it. Objects of guests and clients stay data: never spread or merge them into ours. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `JSON.parse` reads any number of levels; `JSON.stringify`, before Node 26, some 4,000 when the stack is empty. */
const MAX_LEVELS = 1_000;
/** A text that is shorter cannot be nested too deep: each level takes two characters. */
export const LEAST_DEEP_CHARS = 2 * MAX_LEVELS;

/** Whether a value that was read may be too deep to be written again. */
export function isTooDeep(value: unknown): boolean {
  return isDeeperThan(MAX_LEVELS, value);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((each) => isDeeperThan(levels - 1, each));
  for (const key in value) if (isDeeperThan(levels - 1, (value as JsonObject)[key])) return true;
  return false;
}
