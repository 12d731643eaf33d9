/*
 * Long texts as bytes: they cross to the writing thread outside of its small heap, and come back with whatever
 * character they hold. Half a surrogate pair, which is no character, becomes U+FFFD.
 */
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}

/** @param column a BLOB column, as SQLite gives it */
export function textOf(column: unknown): string {
  return column instanceof Uint8Array ? UTF8.decode(column) : "";
}
