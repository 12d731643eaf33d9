/** How `console` shows values: like Node's, but short, bounded, and safe with getters that throw. */

const STRING_CHARS = 10_000;
const ITEMS = 50;
const DEPTH = 4;

const { isArray } = Array;
const { keys, getPrototypeOf } = Object;
const { stringify } = JSON;
const AnyError = Error;
const AnyDate = Date;
const AnyMap = Map;
const AnySet = Set;
const AnyRegExp = RegExp;
const AnyPromise = Promise;

/** A top-level value: text as it is, everything else as `inspect` shows it. */
export function format(value: unknown): string {
  return typeof value === "string" ? value : inspect(value, 0, []);
}

function inspect(value: unknown, depth: number, above: unknown[]): string {
  switch (typeof value) {
    case "string":
      return stringify(value.length > STRING_CHARS ? `${value.slice(0, STRING_CHARS)}...` : value);
    case "bigint":
      return `${value}n`;
    case "symbol":
      return value.toString();
    case "function":
      return `[function ${String(value.name) || "(anonymous)"}]`;
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "null";
  if (above.includes(value)) return "[circular]";
  try {
    return inspectObject(value, depth, [...above, value]);
  } catch {
    return "[object that cannot be shown]";
  }
}

function inspectObject(value: object, depth: number, above: unknown[]): string {
  if (value instanceof AnyError) return showError(value);
  if (value instanceof AnyDate) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof AnyRegExp) return String(value);
  if (value instanceof AnyPromise) return "Promise {}";
  const name = nameOf(value);
  if (depth >= DEPTH) return isArray(value) ? "[array]" : `[${name || "object"}]`;
  const inner = (item: unknown) => inspect(item, depth + 1, above);
  if (isArray(value) || ArrayBuffer.isView(value)) {
    const items = value as unknown as ArrayLike<unknown>;
    const shown: string[] = [];
    for (let i = 0; i < items.length && i < ITEMS; i++) shown.push(inner(items[i]));
    return `${isArray(value) ? "" : `${name} `}[${list(shown, items.length)}]`;
  }
  if (value instanceof AnyMap) {
    const shown: string[] = [];
    for (const [key, item] of value) {
      if (shown.length >= ITEMS) break;
      shown.push(`${inner(key)} => ${inner(item)}`);
    }
    return `Map(${value.size}) {${pad(list(shown, value.size))}}`;
  }
  if (value instanceof AnySet) {
    const shown: string[] = [];
    for (const item of value) {
      if (shown.length >= ITEMS) break;
      shown.push(inner(item));
    }
    return `Set(${value.size}) {${pad(list(shown, value.size))}}`;
  }
  const names = keys(value);
  const shown = names
    .slice(0, ITEMS)
    .map(
      (key) =>
        `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : stringify(key)}: ${inner((value as Record<string, unknown>)[key])}`,
    );
  return `${name === "" || name === "Object" ? "" : `${name} `}{${pad(list(shown, names.length))}}`;
}

/** Its first line and the frames in the author's own code. */
function showError(error: Error): string {
  const head = error.message === "" ? error.name : `${error.name}: ${error.message}`;
  return head.length > STRING_CHARS ? `${head.slice(0, STRING_CHARS)}...` : head;
}

function nameOf(value: object): string {
  const prototype: unknown = getPrototypeOf(value);
  if (prototype === null) return "[null prototype]";
  const constructor: unknown = (prototype as { constructor?: unknown }).constructor;
  return typeof constructor === "function" ? String(constructor.name) : "";
}

const pad = (text: string) => (text === "" ? "" : ` ${text} `);

function list(shown: string[], total: number): string {
  if (total > shown.length) shown.push(`... ${total - shown.length} more`);
  return shown.join(", ");
}
