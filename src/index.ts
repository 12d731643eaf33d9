/*
 * The library: what packs are made of, and the program for those who embed it. Every export is listed by hand.
 * Older client configurations start this file, so run directly it is the program.
 */
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { App } from "./compose/app.ts";
import type { OpenAppOptions } from "./compose/open-app.ts";
import type { Settings } from "./config/schema.ts";

export { definePack } from "./packs/pack.ts";
export type {
  Complete,
  Pack,
  PackContent,
  PackHost,
  PackPrompt,
  PackResource,
  PackTemplate,
  PackTool,
} from "./packs/pack.ts";
export type { App, OpenAppOptions, Settings };
export { loadSettings, type Loaded, type LoadInput } from "./config/load.ts";
export { DynamicMcpError, ERRORS, type ErrorCode, type ErrorSpec } from "./core/errors.ts";
export type { CallIo, Ask, RunContext } from "./core/source.ts";
export type { ToolResult, PromptResult, ResourceResult } from "./core/item.ts";

/**
 * Builds the program without serving yet.
 *
 * @throws STORE_UNAVAILABLE, STORE_DAMAGED, PACK_FAILED
 */
export async function openApp(settings: Settings, options?: OpenAppOptions): Promise<App> {
  // Not before it is wanted: on a Node that is too old, `main.ts` has to be able to say so.
  const root = await import("./compose/open-app.ts");
  return await root.openApp(settings, options);
}

const entry = process.argv[1];
if (entry !== undefined && isThisFile(entry)) await import("./main.ts");

function isThisFile(path: string): boolean {
  try {
    return realpathSync(path) === fileURLToPath(import.meta.url);
  } catch {
    return false; // a program that has no file of its own
  }
}
