import { DynamicMcpError } from "../core/errors.ts";

/**
 * Refuses the character NUL in texts that are kept as they are. PostgreSQL cannot hold it and Node 22 reads SQLite texts
 * only up to it, so that `ann\0x` would come back as `ann`: another owner. Inside JSON it is escaped and harmless.
 *
 * @throws INVALID_ARGUMENTS naming the field
 */
export function refuseNul(texts: object): void {
  for (const [field, text] of Object.entries(texts))
    if (typeof text === "string" && text.includes("\0"))
      throw new DynamicMcpError("INVALID_ARGUMENTS", `the ${field} contains the character NUL, which cannot be stored`);
}
