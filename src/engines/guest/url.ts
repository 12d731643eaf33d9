import { ask } from "./bridge.ts";
import { OP } from "./ops.ts";

/**
 * URL and URLSearchParams. The parsing is Node's own, in the child process: a few strings in, a few strings out.
 */

interface Parts {
  href: string;
  origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
}
type Settable = Exclude<keyof Parts, "origin">;
type Pair = [string, string];

function parseUrl(url: unknown, base: unknown, set?: readonly [Settable, string]): Parts | undefined {
  const question = { url: String(url), ...(base === undefined ? {} : { base: String(base) }), ...(set ? { set } : {}) };
  return (ask(OP.url, question) as Parts | null) ?? undefined;
}

/** Lets a URL hear of changes in its own searchParams. */
const owners = new WeakMap<URLSearchParams, (query: string) => void>();

export class URLSearchParams {
  #pairs: Pair[];

  constructor(init: unknown = "") {
    this.#pairs = pairsOf(init);
  }

  get size(): number {
    return this.#pairs.length;
  }
  get(name: unknown): string | null {
    return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null;
  }
  getAll(name: unknown): string[] {
    return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value);
  }
  has(name: unknown, value?: unknown): boolean {
    return this.#pairs.some(([key, held]) => key === String(name) && (value === undefined || held === String(value)));
  }
  append(name: unknown, value: unknown): void {
    this.#pairs.push([String(name), String(value)]);
    this.#changed();
  }
  set(name: unknown, value: unknown): void {
    const first = this.#pairs.find(([key]) => key === String(name));
    if (first) first[1] = String(value);
    else this.#pairs.push([String(name), String(value)]);
    this.#pairs = this.#pairs.filter((pair) => pair === first || !first || pair[0] !== String(name));
    this.#changed();
  }
  delete(name: unknown, value?: unknown): void {
    this.#pairs = this.#pairs.filter(
      ([key, held]) => key !== String(name) || (value !== undefined && held !== String(value)),
    );
    this.#changed();
  }
  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }
  forEach(callback: (value: string, key: string, all: URLSearchParams) => unknown, self?: unknown): void {
    for (const [key, value] of this.#pairs) callback.call(self, value, key, this);
  }
  *entries(): IterableIterator<Pair> {
    for (const [key, value] of this.#pairs) yield [key, value];
  }
  *keys(): IterableIterator<string> {
    for (const [key] of this.#pairs) yield key;
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this.#pairs) yield value;
  }
  [Symbol.iterator](): IterableIterator<Pair> {
    return this.entries();
  }
  toString(): string {
    return ask(OP.queryFormat, this.#pairs) as string;
  }

  #changed(): void {
    owners.get(this)?.(this.toString());
  }
}

function pairsOf(init: unknown): Pair[] {
  if (typeof init !== "object" || init === null) {
    return ask(OP.queryParse, String(init)) as Pair[];
  }
  if (typeof (init as Partial<Iterable<unknown>>)[Symbol.iterator] === "function") {
    return [...(init as Iterable<unknown>)].map((pair) => {
      const [key, value, ...rest] = [...(pair as Iterable<unknown>)];
      if (rest.length > 0 || value === undefined) throw new TypeError("URLSearchParams takes pairs of name and value");
      return [String(key), String(value)];
    });
  }
  return Object.entries(init).map(([key, value]) => [key, String(value)]);
}

/** Whole or not at all: the beginning of a text would be shown where the text itself has to be hidden. */
function invalid(url: string): string {
  return url.length <= 200 ? `Invalid URL: ${url}` : `Invalid URL (${url.length} characters)`;
}

export class URL {
  #parts: Parts;
  #params: URLSearchParams | undefined;

  constructor(url: unknown, base?: unknown) {
    const parts = parseUrl(url, base);
    if (!parts) throw Object.assign(new TypeError(invalid(String(url))), { code: "ERR_INVALID_URL" });
    this.#parts = parts;
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return parseUrl(url, base) !== undefined;
  }
  static parse(url: unknown, base?: unknown): URL | null {
    return URL.canParse(url, base) ? new URL(url, base) : null;
  }

  get origin(): string {
    return this.#parts.origin;
  }
  get searchParams(): URLSearchParams {
    if (!this.#params) {
      this.#params = new URLSearchParams(this.#parts.search);
      owners.set(this.#params, (query) => this.#set("search", query, false));
    }
    return this.#params;
  }
  toString(): string {
    return this.#parts.href;
  }
  toJSON(): string {
    return this.#parts.href;
  }

  static {
    const names: Settable[] = [
      ...([
        "href",
        "protocol",
        "username",
        "password",
        "host",
        "hostname",
        "port",
        "pathname",
        "search",
        "hash",
      ] as const),
    ];
    for (const name of names) {
      Object.defineProperty(URL.prototype, name, {
        configurable: true,
        enumerable: true,
        get(this: URL) {
          return this.#parts[name];
        },
        set(this: URL, value: unknown) {
          this.#set(name, String(value), true);
        },
      });
    }
  }

  #set(name: Settable, value: string, dropsParams: boolean): void {
    const parts = parseUrl(this.#parts.href, undefined, [name, value]);
    if (!parts) throw new TypeError(invalid(value));
    this.#parts = parts;
    if (dropsParams && (name === "search" || name === "href")) this.#params = undefined;
  }
}
