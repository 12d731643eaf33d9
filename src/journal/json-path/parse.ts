import { DynamicMcpError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import {
  isSingular,
  OPERATORS,
  type Comparable,
  type Query,
  type Segment,
  type Selector,
  type Test,
} from "./syntax.ts";

const MAX_CHARS = 2_000;
const MAX_NESTING = 50;
const SPACE = /[ \t\n\r]*/y;
const SHORTHAND = /[A-Za-z_\u0080-\u{10ffff}][A-Za-z0-9_\u0080-\u{10ffff}]*/uy;
const INTEGER = /-?(?:0|[1-9]\d{0,15})/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTED = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/suy;
const WORD = /[a-z][a-z0-9_]*/y;
const LITERALS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/**
 * Reads a JSONPath query of RFC 9535, without the functions `match` and `search`: a regular expression of whoever asks
 * could run for ever.
 *
 * @throws INVALID_ARGUMENTS with the place of what is wrong
 */
export function parseJsonPath(text: string): Query {
  if (text.length > MAX_CHARS)
    throw new DynamicMcpError("INVALID_ARGUMENTS", `the jsonpath is longer than ${MAX_CHARS} characters`);
  const parser = new Parser(text);
  parser.expect("$");
  const query = parser.query("root");
  return parser.isAtEnd ? query : parser.fail("a segment such as .name or [0]");
}

class Parser {
  readonly #text: string;
  #at = 0;
  #nesting = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  fail(expected: string): never {
    const message = `the jsonpath is not valid at character ${this.#at + 1}: expected ${expected}`;
    throw new DynamicMcpError("INVALID_ARGUMENTS", message, { data: { at: this.#at + 1 } });
  }

  expect(token: string): void {
    if (!this.#take(token)) this.fail(`"${token}"`);
  }

  query(from: Query["from"]): Query {
    const segments: Segment[] = [];
    for (;;) {
      const before = this.#at;
      this.#match(SPACE);
      if (this.#take("..")) segments.push({ isDescendant: true, selectors: this.#selectors(true) });
      else if (this.#take(".")) segments.push({ isDescendant: false, selectors: [this.#dotted()] });
      else if (this.#peek("[")) segments.push({ isDescendant: false, selectors: this.#selectors(false) });
      else {
        this.#at = before;
        return { from, segments };
      }
    }
  }

  #selectors(mayBeDotted: boolean): Selector[] {
    if (!this.#take("[")) return mayBeDotted ? [this.#dotted()] : this.fail('"["');
    const selectors: Selector[] = [];
    do {
      this.#match(SPACE);
      selectors.push(this.#nested(() => this.#selector()));
      this.#match(SPACE);
    } while (this.#take(","));
    this.expect("]");
    return selectors;
  }

  #dotted(): Selector {
    if (this.#take("*")) return { kind: "wildcard" };
    const name = this.#match(SHORTHAND) ?? this.fail("a name or *");
    return { kind: "name", name };
  }

  #selector(): Selector {
    if (this.#take("*")) return { kind: "wildcard" };
    if (this.#take("?")) return { kind: "filter", test: this.#or() };
    if (this.#peek('"') || this.#peek("'")) return { kind: "name", name: this.#quoted() };
    const start = this.#integer();
    this.#match(SPACE);
    if (!this.#take(":")) return { kind: "index", index: start ?? this.fail("a name in quotes, a number, *, : or ?") };
    this.#match(SPACE);
    const end = this.#integer();
    this.#match(SPACE);
    const step = this.#take(":") ? (this.#match(SPACE), this.#integer()) : undefined;
    return { kind: "slice", start, end, step: step ?? 1 };
  }

  #or(): Test {
    const of = [this.#and()];
    while (this.#taken("||")) of.push(this.#and());
    return of.length === 1 && of[0] ? of[0] : { kind: "or", of };
  }

  #and(): Test {
    const of = [this.#basic()];
    while (this.#taken("&&")) of.push(this.#basic());
    return of.length === 1 && of[0] ? of[0] : { kind: "and", of };
  }

  #basic(): Test {
    return this.#nested(() => {
      this.#match(SPACE);
      if (this.#take("!")) return { kind: "not", of: this.#basic() };
      if (this.#take("(")) {
        const test = this.#or();
        this.#match(SPACE);
        this.expect(")");
        return test;
      }
      return this.#comparison();
    });
  }

  #comparison(): Test {
    const from = this.#origin();
    const query = from && this.query(from);
    const left: Comparable | undefined = query ? { kind: "value", query } : this.#comparable();
    this.#match(SPACE);
    const operator = OPERATORS.find((each) => this.#take(each));
    if (!operator) return query ? { kind: "exists", query } : this.fail("a comparison");
    if (query && !isSingular(query))
      return this.fail("a query of one value to compare; count() and value() take others");
    this.#match(SPACE);
    return { kind: "compare", operator, left, right: this.#comparable() };
  }

  #comparable(): Comparable {
    const from = this.#origin();
    if (from) {
      const query = this.query(from);
      return isSingular(query) ? { kind: "value", query } : this.fail("a query of one value to compare");
    }
    if (this.#peek('"') || this.#peek("'")) return { kind: "literal", value: this.#quoted() };
    const number = this.#match(NUMBER);
    if (number !== undefined) return { kind: "literal", value: Number(number) };
    const word = this.#match(WORD) ?? this.fail("@, $, a literal or a function");
    const literal = LITERALS.get(word);
    return literal === undefined ? this.#nested(() => this.#function(word)) : { kind: "literal", value: literal };
  }

  #function(name: string): Comparable {
    if (name !== "length" && name !== "count" && name !== "value")
      return this.fail(`one of the functions length, count, value before "${name.slice(0, 20)}"`);
    this.expect("(");
    this.#match(SPACE);
    let call: Comparable;
    if (name === "length") call = { kind: "length", of: this.#comparable() };
    else call = { kind: name, query: this.query(this.#origin() ?? this.fail("@ or $")) };
    this.#match(SPACE);
    this.expect(")");
    return call;
  }

  #origin(): Query["from"] | undefined {
    if (this.#take("@")) return "current";
    return this.#take("$") ? "root" : undefined;
  }

  /** A text in either kind of quotes, with the escapes of JSON. */
  #quoted(): string {
    const startsAt = this.#at;
    const quoted = this.#match(QUOTED) ?? this.fail("the end of the text in quotes");
    const inner = quoted.slice(1, -1);
    const json = quoted.startsWith("'") ? inner.replace(/\\.|"/gsu, asInDoubleQuotes) : inner;
    try {
      return JSON.parse(`"${json}"`) as string;
    } catch {
      this.#at = startsAt;
      return this.fail("a text with the escapes of JSON");
    }
  }

  #integer(): number | undefined {
    const digits = this.#match(INTEGER);
    return digits === undefined ? undefined : Number(digits);
  }

  #nested<T>(parse: () => T): T {
    if (++this.#nesting > MAX_NESTING) this.fail(`at most ${MAX_NESTING} levels of nesting`);
    const parsed = parse();
    this.#nesting--;
    return parsed;
  }

  #peek(token: string): boolean {
    return this.#text.startsWith(token, this.#at);
  }

  #take(token: string): boolean {
    if (!this.#peek(token)) return false;
    this.#at += token.length;
    return true;
  }

  /** The token with space before it, or nothing at all. */
  #taken(token: string): boolean {
    const before = this.#at;
    this.#match(SPACE);
    if (this.#take(token)) return true;
    this.#at = before;
    return false;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }
}

function asInDoubleQuotes(token: string): string {
  if (token === '"') return '\\"';
  return token === "\\'" ? "'" : token;
}
