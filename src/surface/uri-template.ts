/**
 * Reads the variables of a URI that was made from a template. Templates come from strangers, so a match costs at most
 * length of the URI x parts of the template, whatever both are.
 *
 * All operators of RFC 6570 are known. What cannot be told apart (`{a,b}` of values with commas) goes to the last
 * variable: whoever made the template reads the URI itself, we only have to find them.
 *
 * @see RFC 6570, sections 1.2, 2.2 and 3.2
 */
export interface UriTemplate {
  /** Characters that every URI of it begins with. */
  readonly prefix: string;
  /** Characters that are not part of an expression: the more, the narrower. */
  readonly literalChars: number;
  /** The decoded variables, or undefined when the URI does not fit, or `effort` is spent. */
  match(uri: string, effort?: Effort): Record<string, string> | undefined;
}

/** What may still be spent on matches, in characters of the URI that are looked at: once, and once more for each part. */
export interface Effort {
  left: number;
}

const MAX_URI_CHARS = 8_192;
const MAX_TEMPLATE_CHARS = 2_048;
const MAX_EXPRESSIONS = 32;

export function parseTemplate(template: string): UriTemplate {
  const parts = template.length > MAX_TEMPLATE_CHARS ? undefined : partsOf(template);
  const literals = (parts ?? []).filter((part) => typeof part === "string");
  const prefix = typeof parts?.[0] === "string" ? parts[0] : "";
  const last = parts?.at(-1);
  const suffix = typeof last === "string" ? last : "";
  return {
    prefix,
    literalChars: literals.reduce((sum, each) => sum + each.length, 0),
    match(uri, effort) {
      if (!parts || uri.length > MAX_URI_CHARS || !uri.startsWith(prefix) || !uri.endsWith(suffix)) return undefined;
      if (effort && (effort.left -= uri.length) < 0) return undefined;
      if (!hasInOrder(literals, uri)) return undefined;
      if (effort && (effort.left -= parts.length * uri.length) < 0) return undefined;
      const texts = align(parts, uri);
      if (!texts) return undefined;
      try {
        const found = parts.flatMap((part, at) =>
          typeof part === "string" ? [] : readVariables(part, texts[at] ?? ""),
        );
        return Object.fromEntries(found);
      } catch {
        return undefined; // not percent-encoding: no URI of this template
      }
    },
  };
}

/** Spares nearly all that do not fit the way through every character. */
function hasInOrder(literals: readonly string[], uri: string): boolean {
  let at = 0;
  for (const literal of literals) {
    const found = uri.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  return true;
}

type Part = string | Expression;

interface Expression {
  operator: keyof typeof OPERATORS;
  names: string[];
}

/** `stops`: what an expansion never holds. An operator with a `first` expands to nothing when nothing is given. */
const OPERATORS = {
  "": { first: "", between: ",", stops: "/?#", isNamed: false },
  "+": { first: "", between: ",", stops: "", isNamed: false },
  "#": { first: "#", between: ",", stops: "", isNamed: false },
  ".": { first: ".", between: ".", stops: "/?#", isNamed: false },
  "/": { first: "/", between: "/", stops: "?#", isNamed: false },
  ";": { first: ";", between: ";", stops: "/?#", isNamed: true },
  "?": { first: "?", between: "&", stops: "#", isNamed: true },
  "&": { first: "&", between: "&", stops: "#", isNamed: true },
} as const;

function partsOf(template: string): Part[] | undefined {
  const parts: Part[] = [];
  let expressions = 0;
  for (const text of template.split(/(\{[^{}]*\})/)) {
    const expression = text.startsWith("{") ? expressionOf(text) : undefined;
    const last = parts.at(-1);
    if (expression) {
      if (++expressions > MAX_EXPRESSIONS) return undefined;
      parts.push(expression);
    } else if (typeof last === "string") {
      parts[parts.length - 1] = last + text;
    } else if (text !== "") {
      parts.push(text);
    }
  }
  return parts;
}

/** @returns undefined for what is no expression: it is text then */
function expressionOf(text: string): Expression | undefined {
  const [, operator = "", list = ""] = /^\{([+#./;?&]?)([^{}]+)\}$/.exec(text) ?? [];
  const names = list.split(",").map((each) => /^([A-Za-z0-9_.%-]+)(?:\*|:\d{1,4})?$/.exec(each)?.[1] ?? "");
  if (!names.every(Boolean)) return undefined;
  return { operator: operator as Expression["operator"], names };
}

/**
 * Which stretch of the URI each part stands for. Forward, the positions that can be reached after each part; back, one
 * way through them, in which earlier expressions take as much as they can.
 */
function align(parts: readonly Part[], uri: string): string[] | undefined {
  const length = uri.length;
  const reached: Uint8Array[] = [new Uint8Array(length + 1)];
  if (reached[0]) reached[0][0] = 1;
  for (const part of parts) {
    const before = reached.at(-1);
    const after = new Uint8Array(length + 1);
    if (before) step(part, uri, before, after);
    reached.push(after);
  }
  if (!reached.at(-1)?.[length]) return undefined;

  const texts: string[] = [];
  let end = length;
  for (let at = parts.length - 1; at >= 0; at--) {
    const part = parts[at] ?? "";
    const before = reached[at];
    let start = typeof part === "string" ? end - part.length : end;
    if (typeof part !== "string") while (!(before?.[start] && spans(part, uri, start, end))) start--;
    texts[at] = uri.slice(start, end);
    end = start;
  }
  return texts;
}

function step(part: Part, uri: string, before: Uint8Array, after: Uint8Array): void {
  if (typeof part === "string") {
    for (let at = 0; at + part.length <= uri.length; at++) {
      if (before[at] && uri.startsWith(part, at)) after[at + part.length] = 1;
    }
    return;
  }
  const { first, stops } = OPERATORS[part.operator];
  // Open: within an expansion that began somewhere before.
  let isOpen = false;
  for (let at = 0; at <= uri.length; at++) {
    if (isOpen) after[at] = 1;
    const char = uri[at];
    if (before[at]) {
      if (first !== "") after[at] = 1;
      if (first === "" || char === first) {
        isOpen = char !== undefined && !stops.includes(char);
        if (char === first && !isOpen) isOpen = true;
        continue;
      }
    }
    if (isOpen && (char === undefined || stops.includes(char))) isOpen = false;
  }
}

/** Whether an expression can stand for this stretch. Only asked for stretches that `step` may have opened. */
function spans({ operator }: Expression, uri: string, start: number, end: number): boolean {
  const { first, stops } = OPERATORS[operator];
  if (start === end) return first !== "";
  if (first !== "" && uri[start] !== first) return false;
  for (let at = start + first.length; at < end; at++) if (stops.includes(uri[at] ?? "")) return false;
  return true;
}

function readVariables({ operator, names }: Expression, text: string): [string, string][] {
  const { first, between, isNamed } = OPERATORS[operator];
  const body = text.slice(first.length);
  if (isNamed) return pairsOf(body, between, names);
  if (text === "") return [];
  const values = body.split(between);
  return names.flatMap((name, at) => {
    const own = at === names.length - 1 ? values.slice(at) : values.slice(at, at + 1);
    return own.length === 0 ? [] : [[name, decodeURIComponent(own.join(between))] satisfies [string, string]];
  });
}

function pairsOf(body: string, between: string, names: readonly string[]): [string, string][] {
  return body.split(between).flatMap((pair) => {
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    return names.includes(name)
      ? [[name, decodeURIComponent(equals < 0 ? "" : pair.slice(equals + 1))] satisfies [string, string]]
      : [];
  });
}
