import { DynamicMcpError } from "../core/errors.ts";
import type { Permission, PromptArgument, PromptResult, ResourceResult, ToolAnnotations } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger, RunContext } from "../core/source.ts";

/**
 * Tools, prompts and resources written in TypeScript or JavaScript and run in our own process. A pack is a value: it is
 * handed capabilities (`ctx`, and a `host` when it is opened), never the server.
 *
 * A pack is trusted code. What comes from users belongs into authored tools, which run in a sandbox.
 */
export interface Pack {
  /** Lower-case letters, digits and hyphens; its items belong to `pack:<name>`. */
  name: string;
  version?: string;
  tools?: readonly PackTool[];
  prompts?: readonly PackPrompt[];
  resources?: readonly PackResource[];
  templates?: readonly PackTemplate[];
  /** Before anything of it is listed. What it throws keeps the program from starting. */
  open?: (host: PackHost) => void | Promise<void>;
  /** After the last run has ended. */
  close?: () => void | Promise<void>;
}

interface Described {
  title?: string;
  description?: string;
  meta?: JsonObject;
}

type Args = JsonObject;

export interface PackTool extends Described {
  name: string;
  description: string;
  /** JSON Schema 2020-12 with an object at its root; without it the tool takes no arguments. */
  inputSchema?: JsonObject;
  outputSchema?: JsonObject;
  annotations?: ToolAnnotations;
  permission?: Permission;
  /**
   * Its arguments fit `inputSchema`. It may return a whole result (`{ content: [...] }`), a text, or any JSON, which
   * becomes structured content with its JSON text beside it. What it throws is a failed result that the model reads.
   */
  run: (args: Args, ctx: RunContext) => unknown;
}

export interface PackPrompt extends Described {
  name: string;
  arguments?: PromptArgument[];
  /** A text stands for one message of the user. */
  run: (args: Record<string, string>, ctx: RunContext) => string | PromptResult | Promise<string | PromptResult>;
  complete?: Complete;
}

/** A text, bytes, or the contents themselves. */
export type PackContent = string | Uint8Array | ResourceResult["contents"];

export interface PackResource extends Described {
  uri: string;
  name: string;
  mimeType?: string;
  read: (ctx: RunContext) => PackContent | Promise<PackContent>;
}

export interface PackTemplate extends Described {
  /** RFC 6570, level 1. */
  uriTemplate: string;
  name: string;
  mimeType?: string;
  read: (uri: string, variables: Record<string, string>, ctx: RunContext) => PackContent | Promise<PackContent>;
  complete?: Complete;
}

/**
 * Suggests values for an argument of a prompt or a variable of a template, best first.
 *
 * @param context the other values that are known so far
 */
export type Complete = (
  argument: { name: string; value: string },
  context: Record<string, string>,
) => readonly string[] | Promise<readonly string[]>;

/** What a pack may do outside of a run. */
export interface PackHost {
  log: Logger;
  /** Each `add` lists one more item until the returned function is called. */
  addTool(tool: PackTool): () => void;
  addPrompt(prompt: PackPrompt): () => void;
  addResource(resource: PackResource): () => void;
  addTemplate(template: PackTemplate): () => void;
  /** Tells those who subscribed to it. */
  resourceUpdated(uri: string): void;
}

/**
 * Gives a pack its type, and refuses at once what could never be served.
 *
 * @throws PACK_FAILED
 */
export function definePack(pack: Pack): Pack {
  if (typeof pack.name !== "string" || !/^[a-z0-9][a-z0-9-]{0,39}$/.test(pack.name)) {
    const shown = JSON.stringify(pack.name ?? null);
    throw new DynamicMcpError("PACK_FAILED", `${shown} cannot be a pack's name: use up to 40 lower-case letters, digits and hyphens`); // prettier-ignore
  }
  return pack;
}
