import { DynamicMcpError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { KeptResult } from "../store/store.ts";
import { Budget } from "./budget.ts";
import { findLines } from "./find-lines.ts";
import { findMembers } from "./find-members.ts";
import { evaluateJsonPath, pathOf } from "./json-path/evaluate.ts";
import { parseJsonPath } from "./json-path/parse.ts";
import type { ResultPart } from "./results.ts";
import { Room } from "./room.ts";

const DEFAULT_CHARS = 20_000;
const MAX_QUERY_CHARS = 1_000;
const MAX_WORDS = 8;
const SEARCH_MS = 1_000;
/** JSON with longer lines than this, on average, is one that nobody wrote for people: it has members, not lines. */
const LINE_CHARS = 500;
/** Of the limit of an answer, for what stands around the part. */
const FRAME_BYTES = 1_000;

/**
 * A part of a kept result, small enough to be an answer that is not shortened again.
 *
 * @param limitBytes of an answer
 * @throws INVALID_ARGUMENTS
 */
export function readPart(kept: KeptResult & { text: string }, part: ResultPart, limitBytes: number): JsonObject {
  const { offset, query, jsonpath, chars = DEFAULT_CHARS } = part;
  if ([offset, query, jsonpath].filter((each) => each !== undefined).length > 1)
    throw new DynamicMcpError("INVALID_ARGUMENTS", "give one of offset, query and jsonpath");
  const room = new Room(Math.max(1, Math.trunc(chars)), Math.max(limitBytes - FRAME_BYTES, Math.ceil(limitBytes / 2)));
  const about = { handle: kept.handle, tool: kept.tool, mimeType: kept.mimeType, chars: kept.chars };
  try {
    if (query !== undefined) return { ...about, ...byQuery(kept, query, room) };
    if (jsonpath !== undefined) return { ...about, ...byPath(kept.text, jsonpath, room) };
    return { ...about, ...fromOffset(kept.text, offset ?? 0, room) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DynamicMcpError("INVALID_ARGUMENTS", "the value is nested too deeply for this; read it with offset", {
      cause: error,
    });
  }
}

function fromOffset(text: string, offset: number, room: Room): JsonObject {
  if (!Number.isInteger(offset) || offset < 0 || offset > text.length)
    throw new DynamicMcpError("INVALID_ARGUMENTS", `offset is ${offset}; it has to be from 0 to ${text.length}`);
  const chunk = room.head(text, offset);
  const next = offset + chunk.length;
  return next < text.length ? { offset, text: chunk, next } : { offset, text: chunk };
}

function byQuery({ text, mimeType }: { text: string; mimeType: string }, query: string, room: Room): JsonObject {
  const words = [...new Set(query.slice(0, MAX_QUERY_CHARS).toLowerCase().split(/\s+/u))].filter((word) => word !== "");
  if (words.length === 0 || words.length > MAX_WORDS)
    throw new DynamicMcpError("INVALID_ARGUMENTS", `the query needs 1 to ${MAX_WORDS} words; lines that have all of them are found`); // prettier-ignore
  const value = mimeType === "application/json" && hasLongLines(text) ? parse(text) : undefined;
  const matches: JsonObject[] = [];
  const isEnough = room.collect((take) => {
    const add = (match: JsonObject) => {
      take(match);
      matches.push(match);
    };
    if (value === undefined) findLines(text, words, new Budget(SEARCH_MS), add);
    else findMembers(value, words, new Budget(SEARCH_MS), add);
  });
  return isEnough ? { matches, more: true } : { matches };
}

function byPath(text: string, jsonpath: string, room: Room): JsonObject {
  const query = parseJsonPath(jsonpath);
  const value = parse(text);
  if (value === undefined)
    throw new DynamicMcpError("INVALID_ARGUMENTS", "this result is not JSON; read it with offset or query");
  const values: Json[] = [];
  const isEnough = room.collect((take) =>
    evaluateJsonPath(query, value, new Budget(SEARCH_MS), (place) => {
      const found = values.length === 0 ? room.fitting(place.value, pathOf(place)) : place.value;
      take(found);
      values.push(found);
    }),
  );
  return isEnough ? { values, more: true } : { values };
}

function hasLongLines(text: string): boolean {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0 && lines * LINE_CHARS < text.length; at = text.indexOf("\n", at + 1))
    lines++;
  return lines * LINE_CHARS < text.length;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
