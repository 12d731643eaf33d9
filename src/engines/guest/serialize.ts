/**
 * The result of a job as JSON text, with everything it uses taken before the author's code runs: patched `JSON`, `Array`
 * or `Object` change nothing here.
 *
 * `JSON.stringify` drops functions and turns Maps and unawaited promises into `{}` without a word. Such a loss is an
 * error here. Looking through the whole value in interpreted code would cost more than writing it, so it is left to
 * `stringify` itself: it asks every object for `toJSON`, and ours refuses. Only when something was refused does a walk
 * find out where. Values of unusual objects (a Date, a class instance) are written as `JSON.stringify` does.
 */
export class NotJson {
  readonly #place: string;

  constructor(place: string) {
    this.#place = place;
  }

  /** What and where, when `thrown` is one of these. Asks the object itself: who patches `instanceof` cannot make one. */
  static placeOf(thrown: unknown): string | undefined {
    return typeof thrown === "object" && thrown !== null && #place in thrown ? thrown.#place : undefined;
  }
}

const { stringify } = JSON;
const { isArray } = Array;
const { keys, defineProperty, getOwnPropertyDescriptor } = Object;
const { deleteProperty } = Reflect;
const refused: readonly (readonly [object, string])[] = [
  [Function.prototype, "a function"],
  [Map.prototype, "a Map (Object.fromEntries makes an object of it)"],
  [Set.prototype, "a Set ([...set] makes an array of it)"],
  [WeakMap.prototype, "a WeakMap"],
  [WeakSet.prototype, "a WeakSet"],
  [Promise.prototype, "a Promise (await it first)"],
];
const isPrototypeOf = Function.prototype.call.bind(Object.prototype.isPrototypeOf) as (a: object, b: object) => boolean;
const test = Function.prototype.call.bind(RegExp.prototype.test) as (pattern: RegExp, text: string) => boolean;
const AnyError = Error;
const prototypes: readonly object[] = [...refused.map(([prototype]) => prototype), AnyError.prototype];
const PLAIN_KEY = /^[A-Za-z_$][\w$]*$/;
const REFUSAL = {};
const WALK_CHARS = 200_000;
const WALK_DEPTH = 1_000;

/**
 * @returns JSON text; `null` for undefined
 * @throws NotJson naming the place, e.g. `$.items[3].when`; or whatever a getter or `toJSON` of the author throws
 */
export function serialize(value: unknown): string {
  if (value === undefined) return "null";
  const refuse = () => {
    throw REFUSAL;
  };
  // What the author finds afterwards, in a process that goes on, is what was there before.
  const before: (PropertyDescriptor | undefined)[] = [];
  for (let i = 0; i < prototypes.length; i++) {
    before[i] = getOwnPropertyDescriptor(prototypes[i], "toJSON");
    setToJson(prototypes[i] as object, { value: prototypes[i] === AnyError.prototype ? errorToJson : refuse });
  }
  let text: string | undefined;
  try {
    text = stringify(value);
  } catch (error) {
    putBack(before);
    const place = find(value, "$", []);
    if (place !== undefined) throw new NotJson(place);
    if (error === REFUSAL) throw new NotJson("the result holds something that is not JSON");
    throw error;
  }
  putBack(before);
  if (text === undefined) throw new NotJson(find(value, "$", []) ?? "the result is not JSON");
  // Symbols are no objects and so are not asked for toJSON. In a large result they are dropped, as JSON.stringify does.
  if (text.length <= WALK_CHARS) {
    const place = find(value, "$", []);
    if (place !== undefined) throw new NotJson(place);
  }
  return text;
}

function putBack(before: readonly (PropertyDescriptor | undefined)[]): void {
  for (let i = 0; i < prototypes.length; i++) setToJson(prototypes[i] as object, before[i]);
}

/** @param descriptor undefined to have none */
function setToJson(prototype: object, descriptor: PropertyDescriptor | undefined): void {
  try {
    if (descriptor) defineProperty(prototype, "toJSON", { configurable: true, writable: true, ...descriptor });
    else deleteProperty(prototype, "toJSON");
  } catch {
    // frozen by the author: for small results the walk still looks
  }
}

function errorToJson(this: Error): unknown {
  return { name: this.name, message: this.message };
}

/** The first thing that is not JSON, in words; undefined when there is none. Throws nothing of its own. */
function find(value: unknown, path: string, above: object[]): string | undefined {
  switch (typeof value) {
    case "bigint":
      return `${path} is a BigInt (String(value) or Number(value) makes JSON of it)`;
    case "symbol":
      return `${path} is a symbol`;
    case "function":
      return `${path} is a function`;
    case "object":
      break;
    default:
      return undefined;
  }
  if (value === null || above.length > WALK_DEPTH) return undefined;
  for (let i = 0; i < above.length; i++) if (above[i] === value) return `${path} refers back to an object around it`;
  for (const [prototype, name] of refused) if (isPrototypeOf(prototype, value)) return `${path} is ${name}`;
  if (isPrototypeOf(AnyError.prototype, value)) return undefined; // written as its name and message
  if (!isArray(value) && typeof (value as { toJSON?: unknown }).toJSON === "function") return undefined;
  above[above.length] = value;
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === "string" || typeof item === "number") continue;
      const found = find(item, `${path}[${i}]`, above);
      if (found !== undefined) return found;
    }
  } else {
    const names = keys(value);
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const item: unknown = (value as Record<string, unknown>)[name];
      if (typeof item === "string" || typeof item === "number") continue;
      const step = test(PLAIN_KEY, name) ? `.${name}` : `[${stringify(name)}]`;
      const found = find(item, path + step, above);
      if (found !== undefined) return found;
    }
  }
  above.length--;
  return undefined;
}
