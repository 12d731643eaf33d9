/** The web's `Headers`, on every engine the same. @see WHATWG Fetch, section 5.1 "Headers class" */

type Pair = [name: string, value: string];

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export class Headers {
  #pairs: Pair[] = [];

  constructor(init?: unknown) {
    if (init === undefined || init === null) return;
    if (typeof init !== "object") throw new TypeError("Headers takes an object, or a list of names and values");
    if (init instanceof Headers) {
      this.#pairs = init.#pairs.map(([name, value]) => [name, value]);
    } else if (typeof (init as Partial<Iterable<unknown>>)[Symbol.iterator] === "function") {
      for (const pair of init as Iterable<unknown>) {
        const both = [...(pair as Iterable<unknown>)];
        if (both.length !== 2) throw new TypeError("each header is a pair of a name and a value");
        this.append(both[0], both[1]);
      }
    } else {
      for (const [name, value] of Object.entries(init)) this.append(name, value);
    }
  }

  append(name: unknown, value: unknown): void {
    this.#pairs.push([nameOf(name), valueOf(value)]);
  }
  set(name: unknown, value: unknown): void {
    const key = nameOf(name);
    const text = valueOf(value);
    this.#pairs = this.#pairs.filter(([each]) => each !== key);
    this.#pairs.push([key, text]);
  }
  delete(name: unknown): void {
    const key = nameOf(name);
    this.#pairs = this.#pairs.filter(([each]) => each !== key);
  }
  get(name: unknown): string | null {
    const key = nameOf(name);
    const values = this.#pairs.filter(([each]) => each === key).map(([, value]) => value);
    return values.length === 0 ? null : values.join(", ");
  }
  has(name: unknown): boolean {
    const key = nameOf(name);
    return this.#pairs.some(([each]) => each === key);
  }
  getSetCookie(): string[] {
    return this.#pairs.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  }
  forEach(callback: (value: string, name: string, all: Headers) => unknown, self?: unknown): void {
    for (const [name, value] of this.entries()) callback.call(self, value, name, this);
  }

  /** In the order of names, values of one name together; cookies stay apart. */
  *entries(): IterableIterator<Pair> {
    const names = [...new Set(this.#pairs.map(([name]) => name))];
    names.sort();
    for (const name of names) {
      if (name === "set-cookie") for (const value of this.getSetCookie()) yield [name, value];
      else yield [name, this.get(name) ?? ""];
    }
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name;
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }
  [Symbol.iterator](): IterableIterator<Pair> {
    return this.entries();
  }
}

function nameOf(name: unknown): string {
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`${JSON.stringify(text.slice(0, 100))} cannot be the name of a header`);
  return text.toLowerCase();
}

function valueOf(value: unknown): string {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (VALUE.test(text)) return text;
  throw new TypeError("the value of a header is one line of characters up to U+00FF");
}
