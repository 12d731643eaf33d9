/**
 * Rows under a heading, columns as wide as they need to be. The last column takes what is left and is cut, so that a
 * row stays one line; programs use `--json`.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[], width = 120): string {
  const all = [head, ...rows].map((row) => row.map(oneLine));
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) => {
      const cells = row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)));
      return clip(cells.join("  ").trimEnd(), width);
    })
    .join("\n");
}

export function clip(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, Math.max(0, chars - 3))}...`;
}

/** Marks that turn the direction of writing: with them a name reads as another one. */
const TURNING = "\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069";
const UNSAFE = new RegExp(`[^\\P{Cc}\\t\\n]|[${TURNING}]`, "gu");
/** Of these, what JSON does not escape anyway. */
const UNSAFE_IN_JSON = new RegExp(`[\\u007F-\\u009F${TURNING}]`, "gu");

/** What others wrote is shown without control characters, so that it cannot move the cursor or colour the screen. */
export function oneLine(text: string): string {
  return safe(text).replace(/\s+/g, " ").trim();
}

/** Keeps tabs and newlines. */
export function safe(text: string): string {
  return text.replace(UNSAFE, "");
}

/** A value in a line of text: texts as they are, nothing for nothing, everything else as JSON. */
export function words(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function json(value: unknown): string {
  return safeJson(JSON.stringify(value, undefined, 2) ?? "null");
}

/** Nothing is lost: what must not reach a terminal as it is stands there escaped. */
export function safeJson(text: string): string {
  return text.replace(UNSAFE_IN_JSON, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
