import type { Json } from "./json.ts";
import { createSecretFinder, type CutAt } from "./secret-finder.ts";

const NAMES = "token|password|passwd|secret|authorization|cookie|api[-_]?key|bearer|credential|private[-_]?key";
const SECRET_KEY = new RegExp(NAMES, "i");
const CREDENTIAL = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g;
/** JSON inside a text: `"password": "..."`. */
const JSON_MEMBER = new RegExp(
  `("[\\w.-]{0,40}(?:${NAMES})[\\w.-]{0,40}"\\s{0,4}:\\s{0,4})"(?:[^"\\\\]|\\\\.)*"`,
  "gi",
);
/** Query strings and connection strings: `token=...`. */
const ASSIGNMENT = /\b((?:access[-_]?)?(?:token|password|passwd|secret|api[-_]?key))=[^\s&"']+/gi;
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

/** Takes credentials out of a text: `Bearer ...`, `password=...`, and members of JSON whose name says secret. */
export function redactText(text: string): string {
  return text
    .replace(CREDENTIAL, `$1 ${REDACTED}`)
    .replace(JSON_MEMBER, `$1"${REDACTED}"`)
    .replace(ASSIGNMENT, `$1=${REDACTED}`);
}

/** Whether a key or header of this name holds what lets somebody in. */
export function namesSecret(name: string): boolean {
  return SECRET_KEY.test(name);
}

/** Takes known values out of a text. `cut` tells where the text may have been cut, so that a part of one shows. */
export type Hide = (text: string, cut?: CutAt) => string;

/**
 * Makes a function that takes known values out of a text, whatever stands around them, also where they were encoded.
 *
 * @param secrets values of secrets; those under 4 characters are passed over, they are in every text
 */
export function hideValues(secrets: readonly string[]): Hide {
  const find = createSecretFinder(secrets);
  return (text, cut) => {
    let out = "";
    let from = 0;
    for (const [start, end] of find(text, cut)) {
      out += text.slice(from, start) + REDACTED;
      from = end;
    }
    return from === 0 ? text : out + text.slice(from);
  };
}

/**
 * The same for JSON, which stays JSON: inside texts and keys, and for numbers that are a secret as a whole, with or
 * without a minus. Works on the text, so that depth costs nothing.
 *
 * @param hide made by {@link hideValues}
 * @returns `json` itself when it holds none
 */
export function hideInJsonText(json: string, hide: Hide): string {
  // Whatever its texts hold is in here too, as they hold it.
  const unescaped = json.includes("\\") ? json.replace(ESCAPE, characterOf) : json;
  if (hide(unescaped) === unescaped) return json;
  let out = "";
  for (let from = 0; from < json.length;) {
    const opens = json.indexOf('"', from);
    const ends = opens < 0 ? json.length : opens;
    out += json.slice(from, ends).replace(NUMBER, (number) => hideNumber(number, hide));
    if (opens < 0) break;
    from = endOfText(json, opens);
    const literal = json.slice(opens, from);
    const text = JSON.parse(literal) as string;
    const shown = hide(text);
    out += shown === text ? literal : JSON.stringify(shown);
  }
  return out;
}

function hideNumber(number: string, hide: Hide): string {
  const shown = hide(number);
  return shown === REDACTED || shown === `-${REDACTED}` ? `"${REDACTED}"` : number;
}

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(.))/g;
const CONTROLS: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function characterOf(_escape: string, hex: string | undefined, letter = ""): string {
  return hex === undefined ? (CONTROLS[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16));
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** The place after the quote that ends the text that begins at `opens`. */
function endOfText(json: string, opens: number): number {
  for (let at = opens + 1; ; at++) {
    at = json.indexOf('"', at);
    if (at < 0) return json.length;
    let slashes = 0;
    while (json[at - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" && typeof value !== "boolean" && value !== undefined;
}
