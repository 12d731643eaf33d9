import type { Json } from "./json.ts";

const SECRET_KEY = /token|password|passwd|secret|authorization|cookie|api[-_]?key|bearer|credential|private[-_]?key/i;
const SECRET_TEXT = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g;
const MAX_DEPTH = 8;

/** What stands in the place of a secret, wherever one is shown. */
const REDACTED = "***";

/**
 * A copy that may be logged or kept: values under keys that name a secret, lists of them too, and credentials inside
 * texts, become `***`; what is nested deeper than 8 levels becomes `"[deep]"`.
 */
export function redact(value: unknown, depth = 0): Json {
  if (typeof value === "string") return redactText(value);
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object") return `[${typeof value}]`;
  if (depth >= MAX_DEPTH) return "[deep]";
  if (Array.isArray(value)) return value.map((entry) => redact(entry, depth + 1));
  // Object.fromEntries defines own keys, so a guest's "__proto__" stays data.
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      SECRET_KEY.test(key) ? hidden(entry, depth + 1) : redact(entry, depth + 1),
    ]),
  );
}

/** Objects stay readable: `tokens: { count: 3 }` is no secret. */
function hidden(value: unknown, depth: number): Json {
  if (Array.isArray(value) && depth < MAX_DEPTH) return value.map((entry) => hidden(entry, depth + 1));
  return isScalar(value) ? REDACTED : redact(value, depth);
}

/** Takes `Bearer ...` and `Basic ...` credentials out of a text. */
export function redactText(text: string): string {
  return text.replace(SECRET_TEXT, `$1 ${REDACTED}`);
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" && typeof value !== "boolean" && value !== undefined;
}
