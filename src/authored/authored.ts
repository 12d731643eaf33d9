import type { Deadline } from "../core/deadline.ts";
import type { ToolResult } from "../core/item.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { RunContext, Source } from "../core/source.ts";
import type { EngineName } from "../engines/engine.ts";
import type { RunOnceDraft, ToolDraft, ToolPatch } from "./definition.ts";

/** Code that people and models keep as tools, or run once. */
export interface Authored {
  /** Lists the enabled tools and runs them. */
  readonly source: Source;
  readonly tools: AuthoredTools;

  /**
   * Runs one body of code and keeps nothing.
   *
   * @throws INVALID_CODE, ENGINE_UNAVAILABLE, IMAGE_*, PACKAGE_*, REGISTRY_UNAVAILABLE; a failure of the code itself is a result with `isError`
   */
  runOnce(draft: RunOnceDraft, by: Actor): Promise<ToolResult>;

  counts(): ToolCounts;
  close(): void;
}

export type ToolCounts = { tools: number; enabled: number; quarantined: number };

/**
 * The use cases. Names are taken in either spelling. Every write makes a numbered revision with its author and time;
 * a write that changes nothing makes none. All methods may throw STORE_UNAVAILABLE, all writes READ_ONLY.
 */
export interface AuthoredTools {
  /**
   * Checks in this order: name, schemas, code, engine, examples; then keeps the tool.
   *
   * @throws INVALID_NAME, NAME_RESERVED, NAME_TAKEN, INVALID_SCHEMA, INVALID_CODE, ENGINE_UNAVAILABLE, IMAGE_*, PACKAGE_*,
   *   REGISTRY_UNAVAILABLE, EXAMPLE_FAILED, TOOL_LIMIT
   */
  create(draft: ToolDraft, by: Actor, options?: { dryRun?: boolean; change?: string }): Promise<Accepted>;

  /**
   * Packages stay at the versions that were locked, unless the patch names `dependencies`.
   *
   * Without `expectedRevision` the patch goes on top of whatever is newest; no other change is lost.
   *
   * @throws as `create`, and TOOL_NOT_FOUND, REVISION_CONFLICT
   */
  update(
    name: string,
    patch: ToolPatch,
    by: Actor,
    options?: { expectedRevision?: number; dryRun?: boolean },
  ): Promise<Accepted>;

  /** @throws TOOL_NOT_FOUND, REVISION_CONFLICT */
  enable(name: string, isEnabled: boolean, by: Actor, expectedRevision?: number): Promise<Accepted>;

  /** @throws TOOL_NOT_FOUND, REVISION_CONFLICT */
  remove(name: string, by: Actor, expectedRevision?: number): Promise<ToolView>;

  /** @throws INVALID_CURSOR */
  list(query: ToolQuery): Promise<ToolPage>;

  /** With code, schemas and examples. @throws TOOL_NOT_FOUND, REVISION_NOT_FOUND, STORE_DAMAGED */
  get(name: string, revision?: number): Promise<ToolView>;

  /** Newest first. @throws TOOL_NOT_FOUND */
  history(name: string, options: { limit: number; before?: number; includeCode?: boolean }): Promise<ToolHistory>;

  /**
   * Writes a new revision that holds what revision `to` held; whether the tool is enabled stays as it is.
   *
   * @throws TOOL_NOT_FOUND, REVISION_NOT_FOUND, REVISION_CONFLICT, ENGINE_UNAVAILABLE
   */
  rollback(name: string, to: number, by: Actor, expectedRevision?: number): Promise<Accepted>;
}

/** Who acts, and until when: what is installed, and examples that run, end with this deadline. */
export interface Actor {
  principal: string;
  deadline: Deadline;
  /** Walks the line for this principal, as a part of its call; absent where there is no call, as at an import. */
  callTool?: RunContext["callTool"];
  /** How many calls are around its own; default 0. */
  depth?: number;
  /** Tells the client how far something long has come, in a plain sentence. */
  onProgress?(message: string): void;
}

/** Whoever makes this call, as part of it. */
export function actorOf({ caller, deadline, callTool, depth, io }: RunContext): Actor {
  let steps = 0;
  return {
    principal: caller.principal.id,
    deadline,
    callTool,
    depth,
    onProgress: (message) => io.progress(++steps, undefined, message),
  };
}

export interface Accepted {
  tool: ToolView;
  /** False for a dry run, and for a write that would have changed nothing. */
  isWritten: boolean;
  examples: ExampleRun[];
}

/** `result` is the beginning of its JSON text where it is long. */
export type ExampleRun = { args: JsonObject; result: Json; durationMs: number; logs?: JsonObject[] };

/** Where code runs, decided when a tool is accepted. */
export type EngineChoice = { engine: EngineName; level: string; why: string };

/** A tool as operations show it. `code`, schemas and examples only where they were asked for. */
export type ToolView = {
  name: string;
  /** As clients with strict rules for names see it. */
  wireName: string;
  title?: string;
  description: string;
  image: string;
  timeoutMs: number;
  dependencies: { name: string; version: string }[];
  /** `name@version` of everything that is installed for it. */
  packages?: string[];
  /** About those, for whoever made the tool: a script that is not run, a Node that does not fit. */
  warnings?: string[];
  network?: string[];
  secrets?: string[];
  uses?: string[];
  language: "js" | "ts";
  enabled: boolean;
  /** 0 in a dry run of a new tool. */
  revision: number;
  createdAt: string;
  updatedAt: string;
  codeSizeBytes: number;
  engine: EngineChoice;
  annotations?: JsonObject;
  inputSchema?: JsonObject;
  outputSchema?: JsonObject;
  examples?: JsonObject[];
  code?: string;
  /** Why it cannot be used, when its stored row is damaged. */
  quarantine?: string;
};

export interface ToolQuery {
  /** All of these words have to occur in name, title or description. */
  search?: string;
  cursor?: string;
  limit: number;
  includeCode?: boolean;
  includeDisabled?: boolean;
}

export interface ToolPage {
  tools: ToolView[];
  nextCursor?: string;
  /** How many fit the search in all. */
  total: number;
}

export interface ToolHistory {
  name: string;
  current: number;
  revisions: RevisionView[];
  /** Pass it as `before` for older ones. */
  nextBefore?: number;
}

export type RevisionView = {
  revision: number;
  change: string;
  author: string;
  at: string;
  enabled: boolean;
  digest: string;
  codeSizeBytes: number;
  code?: string;
};
