import type { Json, JsonObject } from "./json.ts";

/** Shapes of what clients list. Field names are those of the MCP specification (2026-07-28, server/tools ff.). */
export interface ToolAnnotations {
  title?: string;
  readOnlyHint?: boolean;
  destructiveHint?: boolean;
  idempotentHint?: boolean;
  openWorldHint?: boolean;
}

interface Listed {
  /** Stable over renames and restarts; unique within its Source. */
  id: string;
  name: string;
  title?: string | undefined;
  description?: string | undefined;
  meta?: JsonObject | undefined;
  /** Further members of its line in a list (icons, sizes, what a vendor adds), as they came; never one of ours. */
  extra?: JsonObject | undefined;
}

export interface ToolItem extends Listed {
  kind: "tool";
  /** Grows by one with each write; 1 for what is built in. */
  revision: number;
  inputSchema: JsonObject;
  outputSchema?: JsonObject | undefined;
  annotations?: ToolAnnotations | undefined;
  /** What a caller must be allowed to, beyond seeing it; default `use`. */
  permission?: Permission | undefined;
}

/**
 * `use`: may call. `author`: may change what other callers get, or run code of its own. `operate`: may change what this
 * server reaches; only those who have proved to be its operator, never by default.
 */
export type Permission = "use" | "author" | "operate";

export interface PromptArgument {
  name: string;
  description?: string;
  required?: boolean;
}

export interface PromptItem extends Listed {
  kind: "prompt";
  arguments?: PromptArgument[] | undefined;
}

export interface ResourceItem extends Listed {
  kind: "resource";
  uri: string;
  mimeType?: string | undefined;
}

export interface TemplateItem extends Listed {
  kind: "template";
  /** RFC 6570, level 1. */
  uriTemplate: string;
  mimeType?: string | undefined;
}

export interface ItemByKind {
  tool: ToolItem;
  prompt: PromptItem;
  resource: ResourceItem;
  template: TemplateItem;
}
export type ItemKind = keyof ItemByKind;
export type ItemOf<K extends ItemKind> = ItemByKind[K];
export type Item = ItemByKind[ItemKind];

/** A block of content, as in the MCP specification; unknown kinds pass through. */
export type Content = { type: string; [key: string]: Json };

/** Results, as they go to a client. `_meta` is ours to add to. */
export interface ToolResult {
  content: Content[];
  structuredContent?: Json;
  isError?: boolean;
  _meta?: JsonObject;
}

export interface PromptResult {
  description?: string;
  messages: { role: "user" | "assistant"; content: Content }[];
  _meta?: JsonObject;
}

export interface ResourceResult {
  contents: { uri: string; mimeType?: string; text?: string; blob?: string; _meta?: JsonObject }[];
  _meta?: JsonObject;
}

export interface CompletionResult {
  completion: { values: string[]; total?: number; hasMore?: boolean };
  _meta?: JsonObject;
}

export type AnyResult = ToolResult | PromptResult | ResourceResult | CompletionResult;
