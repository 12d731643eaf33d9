/*
 * The library: what packs are made of, and the program for those who embed it. Every export is listed by hand.
 * Older client configurations start this file, so run directly it is the program.
 */
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

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
export { openApp, type OpenAppOptions } from "./compose/open-app.ts";
export type { App } from "./compose/app.ts";
export { loadSettings, type Loaded, type LoadInput } from "./config/load.ts";
export type { Settings } from "./config/schema.ts";
export { DynamicMcpError, ERRORS, type ErrorCode, type ErrorSpec } from "./core/errors.ts";
export type { CallIo, Ask, RunContext } from "./core/source.ts";
export type { ToolResult, PromptResult, ResourceResult } from "./core/item.ts";

const entry = process.argv[1];
if (entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url)) await import("./main.ts");
