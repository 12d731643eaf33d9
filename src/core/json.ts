/** Plain JSON, as `JSON.parse` gives it. Objects of guests and clients stay data: never spread or merge them into ours. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
