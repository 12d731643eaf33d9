import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { createResolver } from "./references.ts";
import { innerOf } from "./walk.ts";

/** Keywords whose time may grow faster than the value, or without a bound. */
const RISKY = ["pattern", "patternProperties", "$dynamicRef", "$recursiveRef"];
/** Keywords whose schemas are used only where something refers to them. */
const SHELVES = ["$defs", "definitions"];
/** Formats are regular expressions of the library: good ones, but not for long texts. */
const FORMAT_COST = 50;

/**
 * How much a schema does at most with each part of a value, references counted wherever they are used: 1 for a
 * keyword, 1 for each part of an `enum` and the like. Times the size of the value this bounds the work of a check.
 *
 * @returns Infinity where the work may grow faster than the value, and where we cannot tell
 */
export function costOf(root: JsonObject): number {
  const resolve = createResolver(root);
  const known = new Map<JsonObject, number>();

  function cost(schema: Json | undefined): number {
    if (!isJsonObject(schema)) return 1;
    const before = known.get(schema);
    if (before !== undefined) return before;
    // Whoever comes back here before the sum is done goes round in a circle.
    known.set(schema, Infinity);
    let sum = 1;
    for (const [key, value] of Object.entries(schema)) {
      if (RISKY.includes(key) || (key === "uniqueItems" && value !== false)) return Infinity;
      if (key === "$ref") sum += isJsonObject(resolve(value)) ? cost(resolve(value)) : Infinity;
      else if (key === "format") sum += FORMAT_COST;
      else if (key === "enum" || key === "const" || key === "required") sum += dataCost(value);
      else if (!SHELVES.includes(key)) sum++;
    }
    for (const inner of innerOf(schema)) if (!SHELVES.includes(inner.key)) sum += cost(inner.schema);
    known.set(schema, sum);
    return sum;
  }

  try {
    return cost(root);
  } catch (error) {
    if (error instanceof RangeError) return Infinity;
    throw error;
  }
}

/** Of data that a value is compared with: short texts are compared at once, the rest part by part. */
function dataCost(data: Json): number {
  const parts = Array.isArray(data) ? data : [data];
  return parts.reduce<number>((sum, each) => sum + (typeof each === "object" ? sizeOf(each, Infinity) : 1), 0);
}

/** Parts and characters of a value, counted no further than about `cap`. */
export function sizeOf(value: unknown, cap: number): number {
  let size = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0 && size + waiting.length < cap) {
    const each = waiting.pop();
    if (typeof each === "string") size += each.length;
    size++;
    if (typeof each === "object" && each !== null) {
      for (const [key, inner] of Object.entries(each)) {
        if (!Array.isArray(each)) size += key.length;
        waiting.push(inner);
      }
    }
  }
  return Math.min(size + waiting.length, cap);
}
