import { DynamicMcpError } from "../core/errors.ts";
import type { ItemKind } from "../core/item.ts";

/** Where a page ended: by number while the view is the same one, by name when it has changed since. */
export interface Position {
  version: string;
  /** Number of the first item of the next page. */
  offset: number;
  /** The last name of the page before it. */
  after: string;
}

/** Opaque to clients: base64url of a small JSON array. */
export function writeCursor(kind: ItemKind, { version, offset, after }: Position): string {
  return Buffer.from(JSON.stringify([1, kind, version, offset, after])).toString("base64url");
}

/** @throws INVALID_CURSOR for anything that `writeCursor` did not make for this kind */
export function readCursor(kind: ItemKind, cursor: string): Position {
  const parts = parse(cursor);
  if (Array.isArray(parts) && parts.length === 5) {
    const [format, ofKind, version, offset, after] = parts as unknown[];
    const isOurs = format === 1 && ofKind === kind && typeof version === "string" && typeof after === "string";
    if (isOurs && typeof offset === "number" && Number.isSafeInteger(offset) && offset > 0) {
      return { version, offset, after };
    }
  }
  throw new DynamicMcpError("INVALID_CURSOR", "the cursor was not made by this list; start again without one");
}

function parse(cursor: string): unknown {
  if (!/^[\w-]+$/.test(cursor)) return undefined;
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
