import { DynamicMcpError } from "../core/errors.ts";
import { wireName } from "../core/names.ts";

/**
 * Names of built-in tools, those of every profile and those still to come: a tool that somebody makes today must not
 * stand in the way of tomorrow's version, or of the same store opened with another profile.
 */
const RESERVED_NAMES = [
  // Running and reaching tools
  "run_js_ephemeral",
  "tool_call",
  "tool_describe",
  "tool_search",
  "code_run",
  "code-mode",
  "get_dynamic_tools",
  "call_dynamic_tool",
  "result_get",
  "result_read",
  // Adding servers
  "mcp-find",
  "mcp-add",
  "mcp-config-set",
  "mcp-remove",
  "mcp-list",
  "mcp-exec",
  "mcp-create-profile",
  "mcp-activate-profile",
  // Samples of the older enterprise profile
  "dev.echo",
  "time.now",
  // People, and what they share
  "list-users",
  "add-user",
  "update-user",
  "delete-user",
  "remove-user",
  "share-tool",
  "unshare-tool",
  "user-info",
  "hide-tool",
  "unhide-tool",
  "reset-api-key",
  "list-tools",
  "add-tool",
  "update-tool",
  "delete-tool",
  "list-prompts",
  "add-prompt",
  "update-prompt",
  "delete-prompt",
] as const;

/** Families of built-in tools: nobody else's name begins so. */
const RESERVED_PREFIXES = ["dynamic.tool.", "system.", "sandbox.", "upstream.mcp.", "mcp-"] as const;

const KEYS: ReadonlySet<string> = new Set(RESERVED_NAMES.map(keyOf));
const KEY_PREFIXES = RESERVED_PREFIXES.map((prefix) => ({ prefix, key: keyOf(prefix) }));

/** @throws NAME_RESERVED, whichever way the name is spelled on the wire */
export function assertNotReserved(name: string): void {
  const key = keyOf(name);
  if (KEYS.has(key)) {
    throw new DynamicMcpError("NAME_RESERVED", `${name} is the name of a built-in tool; choose another`);
  }
  const family = KEY_PREFIXES.find((each) => key.startsWith(each.key));
  if (family) {
    const why = `names that begin with ${family.prefix} are kept for built-in tools; ${name} needs another beginning`;
    throw new DynamicMcpError("NAME_RESERVED", why, { data: { prefix: family.prefix } });
  }
}

/** Clients that compare without case must not see two tools as one. */
function keyOf(name: string): string {
  return wireName(name).toLowerCase();
}
