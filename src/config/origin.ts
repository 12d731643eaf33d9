import type { Leaf } from "./schema.ts";

/** Where a value came from. `where` is for people: `--port`, `MCP_PORT`, `dynamic-mcp.json:3:5`. */
export interface Origin {
  from: "default" | "file" | "env" | "flag";
  where: string;
}

/** A value that somebody gave, not checked yet. */
export interface Given {
  leaf: Leaf;
  origin: Origin;
  /** From a variable or a flag: text; a list may have several. From a file: what the JSON says. */
  value: { texts: readonly string[] } | { json: unknown };
  /** What relative paths in it start from. */
  base: string;
}

/** Something wrong with the configuration, and where. */
export interface ConfigProblem {
  where: string;
  message: string;
}
