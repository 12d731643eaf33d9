/*
 * The library: what packs are made of. Every export is listed by hand.
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
export { DynamicMcpError, ERRORS, type ErrorCode, type ErrorSpec } from "./core/errors.ts";
export type { Ask, CallIo, Logger, RunContext } from "./core/source.ts";
export type { PromptResult, ResourceResult, ToolResult } from "./core/item.ts";

const entry = process.argv[1];
if (entry !== undefined && isThisFile(entry)) await import("./main.ts");

function isThisFile(path: string): boolean {
  try {
    return realpathSync(path) === fileURLToPath(import.meta.url);
  } catch {
    return false; // nothing on disk: this is a library in somebody's `node --eval`
  }
}
