import type { Caller } from "../core/caller.ts";
import type { JsonObject } from "../core/json.ts";
import type { ToolResult } from "../core/item.ts";

/**
 * Answers that are too large for a model: kept for a while, shown as a preview with a handle, and read on piece by piece.
 * A handle only names: whose result it is, is checked each time.
 */
export interface Results {
  /**
   * @returns the result unchanged when its text is within the limit; else a copy whose text is a preview with a handle,
   *   and says how to read on. What could not be kept is shown shortened, and says so. Never throws.
   */
  shorten(result: ToolResult, about: { caller: Caller; tool: string; hasOutputSchema: boolean }): Promise<ToolResult>;

  /**
   * @param handle or the URI of the result's resource
   * @param part `offset`: from this character; `query`: the lines (or members) that contain these words; `jsonpath`: the
   *   values at this path (RFC 9535). At most one of them; none is `offset` 0.
   * @throws RESULT_NOT_FOUND, INVALID_ARGUMENTS
   */
  read(caller: Caller, handle: string, part: ResultPart): Promise<JsonObject>;

  /** The whole text, for `resources/read` of `dynamic-mcp://results/<handle>`. @throws RESULT_NOT_FOUND */
  text(caller: Caller, handle: string): Promise<{ text: string; mimeType: string }>;
}

export interface ResultPart {
  offset?: number;
  query?: string;
  jsonpath?: string;
  /** Most characters to answer with. */
  chars?: number;
}
