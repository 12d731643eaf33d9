import type { Content, ToolResult } from "../core/item.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { rawTextOf } from "../core/raw-text.ts";
import { textContent } from "../core/results.ts";
import type { KeptResult } from "../store/store.ts";
import { resultUri } from "./results-uri.ts";

/** Where facts about a shortened result travel: `{ chars, handle?, expiresAt? }`. */
const RESULT_META = "dynamic-mcp/result";
const PREVIEW_BYTES = 4_096;
const WORDS_CHARS = 1_000;
const JSON_TYPE = "application/json";
/** A character is at most so many bytes of UTF-8. */
const BYTES_PER_CHAR = 3;
/** Longer texts are taken for JSON by their ends: parsing them only to know would hold up everybody. */
const PARSED_CHARS = 1_000_000;

/**
 * Whether there is more text than a model should get at once: in all text blocks and embedded texts together, or in the
 * structured content that a client would show in their place.
 *
 * @param hasOutputSchema then the structured content is a promise to the client, and goes whole whatever its size
 */
export function isLarge(result: ToolResult, limitBytes: number, hasOutputSchema: boolean): boolean {
  if (!Array.isArray(result.content)) return false;
  const raw = rawTextOf(result);
  if (raw !== undefined && raw.length * BYTES_PER_CHAR <= limitBytes) return false;
  let chars = 0;
  for (const block of result.content) chars += textOf(block)?.length ?? 0;
  if (chars > limitBytes) return true;
  if (chars * BYTES_PER_CHAR > limitBytes) {
    let bytes = 0;
    for (const block of result.content) bytes += Buffer.byteLength(textOf(block) ?? "");
    if (bytes > limitBytes) return true;
  }
  return !hasOutputSchema && result.structuredContent !== undefined && isLongJson(result.structuredContent, limitBytes);
}

/** What is taken out of an answer, and kept as a text. */
export interface Taken {
  blocks: ReadonlySet<Content>;
  /** Whether the structured content goes, too. */
  isStructuredTaken: boolean;
  text: string;
  mimeType: string;
}

/** All that makes an answer large, in the form that says most in the fewest characters. */
export function takeLarge(result: ToolResult, hasOutputSchema: boolean): Taken {
  const blocks = result.content.filter((block) => textOf(block) !== undefined);
  const structured = hasOutputSchema ? undefined : result.structuredContent;
  const isStructuredTaken = structured !== undefined;
  const chars = blocks.reduce((sum, block) => sum + (textOf(block)?.length ?? 0), 0);
  // Few words beside much structure stay where they are.
  if (isStructuredTaken && chars <= WORDS_CHARS)
    return { blocks: new Set(), isStructuredTaken, text: toJson(structured), mimeType: JSON_TYPE };
  const only = blocks.length === 1 && blocks[0] ? textOf(blocks[0]) : undefined;
  const isOnlyJson = only !== undefined && isJson(only);
  // A text that is JSON says the same as the structured content beside it, as the protocol asks for.
  if (only !== undefined && (isOnlyJson || !isStructuredTaken))
    return { blocks: new Set(blocks), isStructuredTaken, text: only, mimeType: isOnlyJson ? JSON_TYPE : "text/plain" };
  const whole: Json = isStructuredTaken ? { content: blocks, structuredContent: structured } : blocks;
  return { blocks: new Set(blocks), isStructuredTaken, text: toJson(whole), mimeType: JSON_TYPE };
}

/**
 * The result with a preview in the place of what was taken. Images, links and what else there is stay as they are.
 *
 * @param kept or why it could not be kept
 */
export function withPreview(
  result: ToolResult,
  taken: Taken,
  kept: KeptResult | { why: string },
  limitBytes: number,
): ToolResult {
  const { text, blocks, isStructuredTaken } = taken;
  const head = headOf(text, Math.min(PREVIEW_BYTES, Math.ceil(limitBytes / 2)));
  const preview = textContent(`${head}\n${noteOn(head.length, text.length, kept)}`);
  const first = result.content.findIndex((block) => blocks.has(block));
  const content = result.content.filter((block) => !blocks.has(block));
  content.splice(first < 0 ? content.length : first, 0, preview);
  const facts: JsonObject = { chars: text.length };
  if ("handle" in kept) Object.assign(facts, { handle: kept.handle, expiresAt: kept.expiresAt });
  const shortened: ToolResult = { ...result, content, _meta: { ...result._meta, [RESULT_META]: facts } };
  if (isStructuredTaken) delete shortened.structuredContent;
  return shortened;
}

function noteOn(shown: number, chars: number, kept: KeptResult | { why: string }): string {
  const size = `[The first ${shown} of ${chars} characters.`;
  if ("why" in kept) return `${size} The rest is lost: ${kept.why}. Ask the tool for less.]`;
  const ways = kept.mimeType === JSON_TYPE ? "offset, query or jsonpath" : "offset or query";
  return (
    `${size} Read on with result_read {"handle":"${kept.handle}"} and ${ways} (where it is not listed, through ` +
    `tool_call, or call_dynamic_tool with group "dynamic-mcp"), or as the resource ${resultUri(kept.handle)}, until ${kept.expiresAt}.]`
  );
}

/** The beginning, cut behind a line or a member where one ends in its second half, and never within a character. */
function headOf(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text.slice(0, bytes), new Uint8Array(bytes));
  if (read === text.length) return text;
  const head = text.slice(0, read);
  const cut = [head.lastIndexOf("\n"), head.lastIndexOf(","), head.lastIndexOf(" ")].find((at) => at > read / 2);
  return cut === undefined ? head : head.slice(0, cut + 1).trimEnd();
}

function textOf(block: Content): string | undefined {
  // Other servers' blocks are only known to be JSON.
  if (!isJsonObject(block)) return undefined;
  if (block["type"] === "text" && typeof block["text"] === "string") return block["text"];
  const embedded = block["type"] === "resource" ? block["resource"] : undefined;
  return isJsonObject(embedded) && typeof embedded["text"] === "string" ? embedded["text"] : undefined;
}

function isJson(text: string): boolean {
  const start = /\S/.exec(text)?.[0];
  if (start !== "{" && start !== "[") return false;
  if (text.length > PARSED_CHARS) return text.trimEnd().endsWith(start === "{" ? "}" : "]");
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Values of other servers may be nested deeper than the stack allows. */
function toJson(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "";
  }
}

/** Whether the JSON of a value is longer, without writing it. */
function isLongJson(value: Json, limitChars: number): boolean {
  let left = limitChars;
  const open: Json[] = [value];
  while (open.length > 0 && left >= 0) {
    const next = open.pop();
    left -= 2;
    if (typeof next === "string") left -= next.length;
    else if (Array.isArray(next)) {
      if (next.length > left) return true;
      for (const entry of next) open.push(entry);
    } else if (typeof next === "object" && next !== null)
      for (const key of Object.keys(next)) {
        left -= key.length + 4;
        open.push(next[key] as Json);
      }
    else left -= 3;
  }
  return left < 0;
}
