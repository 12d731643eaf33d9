import type { output, ZodType } from "zod";
import type { Authored, AuthoredTools } from "../authored/authored.ts";
import type { Shells } from "../authored/shells/shells.ts";
import type { Permission, ToolAnnotations, ToolResult } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import type { RunContext } from "../core/source.ts";
import type * as Zod from "../core/zod.ts";

/**
 * Our own doings. Each is one file: what it takes (zod), who may (permission), what it does (handler). MCP tools, CLI
 * verbs and REST routes are its faces; profiles say which of them a client sees.
 */
export interface Operation {
  /** Dotted; listed with underscores. */
  readonly name: string;
  readonly toolset: Toolset;
  readonly title: string;
  /** Written for a model: what it does, when, and an example. */
  readonly description: string;
  readonly permission: Permission;
  readonly annotations: ToolAnnotations;
  /** JSON Schemas made from zod, as `listed.json` keeps them. */
  schemas(): Promise<ListedSchemas>;
  /** @returns the arguments with defaults filled in; @throws INVALID_ARGUMENTS naming the nearest keys */
  check(args: JsonObject): Promise<JsonObject>;
  run(services: OperationServices, args: JsonObject, ctx: RunContext): Promise<ToolResult>;
}

export interface ListedSchemas {
  inputSchema: JsonObject;
  outputSchema?: JsonObject;
}

/** Operations that come and go together. */
export type Toolset = "authoring" | "calling" | "sandbox" | "system" | "samples";

/** What handlers may use. */
export interface OperationServices {
  tools: AuthoredTools;
  runOnce: Authored["runOnce"];
  shells: Shells;
  /** What `system.health` answers. */
  health(): Promise<JsonObject>;
  /** ms since 1970 */
  now(): number;
  /** As clients see an authored tool listed. */
  listedName(name: string): string;
}

export interface OperationSpec<I extends ZodType> {
  name: string;
  toolset: Toolset;
  title: string;
  description: string;
  permission: Permission;
  annotations: ToolAnnotations;
  /** A strict object. A function of zod, which is loaded at the first call, not at every start. */
  input: (z: typeof Zod) => I;
  /** Of `structuredContent`; absent where there is none. */
  output?: (z: typeof Zod) => ZodType;
  /** Makes the documented form out of another that is meant, before the check. */
  accept?: (args: JsonObject) => JsonObject;
  handle(services: OperationServices, args: output<I>, ctx: RunContext): Promise<ToolResult>;
}
