import { DOMException } from "./dom-exception.ts";

const TypedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/**
 * A deep copy that keeps cycles and shared references.
 * @see WHATWG HTML, section 2.7 "Safe passing of structured data"; transfer lists are not supported
 */
export function structuredClone(value: unknown, options?: { transfer?: unknown[] }): unknown {
  if (options?.transfer?.length) throw uncloneable("transfer lists are not available in the quickjs engine");
  return copy(value, new Map());
}

function copy(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw uncloneable(`a ${typeof value} cannot be cloned`);
  if (typeof value !== "object" || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const keep = <T>(made: T): T => {
    seen.set(value, made);
    return made;
  };

  if (Array.isArray(value)) {
    const made: unknown[] = keep(new Array<unknown>(value.length));
    return fill(made as unknown as Record<string, unknown>, value as unknown as Record<string, unknown>, seen);
  }
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof Boolean || value instanceof Number || value instanceof String)
    return keep(Object(value.valueOf()));
  if (value instanceof Map) {
    const made = keep(new Map<unknown, unknown>());
    for (const [key, item] of value) made.set(copy(key, seen), copy(item, seen));
    return made;
  }
  if (value instanceof Set) {
    const made = keep(new Set<unknown>());
    for (const item of value) made.add(copy(item, seen));
    return made;
  }
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const buffer = copy(value.buffer, seen) as ArrayBuffer;
    if (value instanceof DataView) return keep(new DataView(buffer, value.byteOffset, value.byteLength));
    const kind = Reflect.get(TypedArray, Symbol.toStringTag, value) as "Uint8Array";
    const length = (value as Uint8Array).length;
    const Kind = (globalThis as unknown as Record<string, Uint8ArrayConstructor>)[kind] ?? Uint8Array;
    return keep(new Kind(buffer, value.byteOffset, length));
  }
  if (value instanceof Error) {
    const name = Object.hasOwn(ERRORS, value.name) ? (value.name as keyof typeof ERRORS) : "Error";
    const made = keep(new ERRORS[name](value.message));
    if ("cause" in value)
      Object.defineProperty(made, "cause", { value: copy(value.cause, seen), configurable: true, writable: true });
    return made;
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    throw uncloneable(`a ${value.constructor.name} cannot be cloned`);
  }
  return fill(keep({}), value as Record<string, unknown>, seen);
}

function fill(made: Record<string, unknown>, from: Record<string, unknown>, seen: Map<object, unknown>): unknown {
  for (const key of Object.keys(from)) {
    Object.defineProperty(made, key, {
      value: copy(from[key], seen),
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return made;
}

const uncloneable = (message: string) => new DOMException(message, "DataCloneError");
