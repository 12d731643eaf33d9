const PLAIN = /^[\x20-\x7e\t]*$/;
const SENTINEL = /^=\?base64\?.*\?=$/i;

/**
 * A text as an HTTP header may carry it: as it is, or in base64 between marks where it has other characters than ASCII,
 * white space at an end that would be lost, or looks like one in marks itself.
 *
 * @see MCP 2026-07-28, basic/transports, "Value encoding"
 */
export function headerValue(text: string): string {
  if (PLAIN.test(text) && text.trim() === text && !SENTINEL.test(text)) return text;
  return `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;
}
