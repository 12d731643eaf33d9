import type { JsonObject } from "../core/json.ts";
import type { Problem } from "../core/problems.ts";

/**
 * JSON Schemas that other people write: of authored tools and of packs. Dialects: 2020-12 (what a schema without
 * `$schema` is) and draft-07 (what many generators still write).
 *
 * Nothing here opens a network connection or lets a schema or a value hold the process up: sizes are bounded, and so is
 * the time of a check.
 */
export interface Schemas {
  /**
   * Whether this can be a tool's schema at all.
   *
   * @param what  how messages call it: `inputSchema`
   * @throws INVALID_SCHEMA with `data.problems`
   */
  check(schema: unknown, what: string, role: SchemaRole): Promise<void>;

  /** @returns what does not fit, at most 20; empty when the value fits */
  validate(schema: JsonObject, value: unknown): Promise<readonly Problem[]>;
}

/** MCP wants an object at the root of what goes in; what comes out may be anything. */
export type SchemaRole = "input" | "output";
