import type { output, ZodType } from "zod";
import type { Authored, AuthoredTools } from "../authored/authored.ts";
import type { Shells } from "../authored/shells/shells.ts";
import type { Permission, ToolAnnotations, ToolResult } from "../core/item.ts";
import type { Caller } from "../core/caller.ts";
import type { Deadline } from "../core/deadline.ts";
import type { JsonObject } from "../core/json.ts";
import type { RunContext } from "../core/source.ts";
import type * as Zod from "../core/zod.ts";
import type { Fleet, ServerState } from "../fleet/fleet.ts";
import type { Results } from "../journal/results.ts";
import type { Finder } from "../surface/finder.ts";
import type { View } from "../surface/surface.ts";

/**
 * Our own doings. Each is one file: what it takes (zod), who may (permission), what it does (handler). MCP tools, CLI
 * verbs and REST routes are its faces; profiles say which of them a client sees.
 */
export interface Operation {
  /** Dotted; listed with underscores. */
  readonly name: string;
  readonly toolset: Toolset;
  readonly title: string;
  /** Written for a model: what it does, when, and an example. A function where it tells of what there is now. */
  readonly description: Description;
  readonly permission: Permission;
  readonly annotations: ToolAnnotations;
  /** JSON Schemas made from zod, as `listed.json` keeps them. */
  schemas(): Promise<ListedSchemas>;
  /** @returns the arguments with defaults filled in; @throws INVALID_ARGUMENTS naming the nearest keys */
  check(args: JsonObject): Promise<JsonObject>;
  run(services: OperationServices, args: JsonObject, ctx: RunContext): Promise<ToolResult>;
}

export type Description = string | ((services: Pick<OperationServices, "fleet" | "hasLocalTools">) => string);

export interface ListedSchemas {
  inputSchema: JsonObject;
  outputSchema?: JsonObject;
}

/** Operations that come and go together. */
export type Toolset =
  "authoring" | "calling" | "searching" | "groups" | "results" | "sandbox" | "attaching" | "system" | "samples";

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
  /** What this caller may use now; asked for when a call runs, not before. */
  view(caller: Caller): View;
  finder: Finder;
  fleet: Pick<Fleet, "servers" | "server" | "known" | "onChange">;
  results: Pick<Results, "read">;
  servers: AttachedServers;
  /** Whether the operator's profiles have the tools of this toolset. */
  isOffered(toolset: string): boolean;
  /** Whether there are tools that were made here, by code or packs. A change of it is told by their Sources. */
  hasLocalTools(): boolean;
}

/** Servers that the operator connects by a call, until the program ends. */
export interface AttachedServers {
  /**
   * Connects and waits until it is known what the server offers; its tools are in every view then.
   *
   * @throws NAME_TAKEN when another server has the name (with `isReplacing`: one that was not attached); SERVER_LIMIT;
   *   CONFIG_INVALID; UPSTREAM_* when it cannot be reached. What was before is left as it was then.
   */
  attach(request: AttachRequest, deadline: Deadline): Promise<ServerState>;
  /** @returns false when no such server was attached */
  detach(name: string): Promise<boolean>;
}

export interface AttachRequest {
  name: string;
  /** Takes the place of an attached server of this name. */
  isReplacing: boolean;
  /** As in `mcpServers` of a configuration file. Texts are meant as they are: `${...}` is not replaced in them. */
  server: JsonObject;
}

export interface OperationSpec<I extends ZodType> {
  name: string;
  toolset: Toolset;
  title: string;
  description: Description;
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
