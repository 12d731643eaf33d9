import { isJsonObject, type Json } from "../../core/json.ts";
import type { Budget } from "../budget.ts";
import { compare } from "./compare.ts";
import type { Comparable, Query, Segment, Selector, Test } from "./syntax.ts";

/** A value and the way to it. */
export interface Place {
  value: Json;
  key: string | number | undefined;
  parent: Place | undefined;
}

type Emit = (place: Place) => void;

/**
 * Finds the values at a path, in the order of RFC 9535.
 *
 * @param emit gets them one by one; may throw to end the search
 * @throws whatever the budget throws when there are too many steps to go
 */
export function evaluateJsonPath(query: Query, root: Json, budget: Budget, emit: Emit): void {
  new Evaluation(rootPlace(root), budget).walk(query.segments, 0, rootPlace(root), emit);
}

export function rootPlace(value: Json): Place {
  return { value, key: undefined, parent: undefined };
}

/** `$['name'][0]`: the normalized path of RFC 9535, section 2.7; its texts are escaped as JSON's. */
export function pathOf({ key, parent }: Place): string {
  if (!parent) return "$";
  const own = typeof key === "number" ? `[${key}]` : `['${escape(key ?? "")}']`;
  return pathOf(parent) + own;
}

function escape(name: string): string {
  return JSON.stringify(name).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
}

class Evaluation {
  readonly #root: Place;
  readonly #budget: Budget;

  constructor(root: Place, budget: Budget) {
    this.#root = root;
    this.#budget = budget;
  }

  walk(segments: readonly Segment[], from: number, place: Place, emit: Emit): void {
    const segment = segments[from];
    if (!segment) return emit(place);
    const next: Emit = (found) => this.walk(segments, from + 1, found, emit);
    if (segment.isDescendant) this.#descend(place, segment.selectors, next);
    else this.#select(place, segment.selectors, next);
  }

  #descend(place: Place, selectors: readonly Selector[], emit: Emit): void {
    this.#select(place, selectors, emit);
    this.#budget.deeper(() =>
      this.#children(place, (child) => {
        if (typeof child.value === "object" && child.value !== null) this.#descend(child, selectors, emit);
      }),
    );
  }

  #select(place: Place, selectors: readonly Selector[], emit: Emit): void {
    for (const selector of selectors) {
      this.#budget.step();
      this.#selectOne(place, selector, emit);
    }
  }

  #selectOne(place: Place, selector: Selector, emit: Emit): void {
    const { value } = place;
    switch (selector.kind) {
      case "name":
        if (isJsonObject(value) && Object.hasOwn(value, selector.name))
          emit({ value: value[selector.name] as Json, key: selector.name, parent: place });
        return;
      case "wildcard":
        return this.#children(place, emit);
      case "index":
        if (Array.isArray(value)) emitAt(value, selector.index < 0 ? value.length + selector.index : selector.index, place, emit); // prettier-ignore
        return;
      case "slice":
        if (Array.isArray(value)) this.#slice(value, selector, place, emit);
        return;
      case "filter":
        return this.#children(place, (child) => {
          if (this.#holds(selector.test, child)) emit(child);
        });
    }
  }

  #children(place: Place, emit: Emit): void {
    const { value } = place;
    if (Array.isArray(value))
      for (let at = 0; at < value.length; at++) {
        this.#budget.step();
        emitAt(value, at, place, emit);
      }
    else if (isJsonObject(value))
      for (const key of Object.keys(value)) {
        this.#budget.step();
        emit({ value: value[key] as Json, key, parent: place });
      }
  }

  /** @see RFC 9535, section 2.3.4.2.2 */
  #slice(value: Json[], { start, end, step }: Selector & { kind: "slice" }, place: Place, emit: Emit): void {
    const { length } = value;
    if (step === 0) return;
    const from = (at: number) => (at < 0 ? length + at : at);
    const within = (at: number, low: number, high: number) => Math.min(Math.max(at, low), high);
    if (step > 0) {
      const last = within(from(end ?? length), 0, length);
      for (let at = within(from(start ?? 0), 0, length); at < last; at += step) this.#one(value, at, place, emit);
    } else {
      const last = end === undefined ? -1 : within(from(end), -1, length - 1);
      for (let at = within(from(start ?? length - 1), -1, length - 1); at > last; at += step) this.#one(value, at, place, emit); // prettier-ignore
    }
  }

  #one(value: Json[], at: number, place: Place, emit: Emit): void {
    this.#budget.step();
    emitAt(value, at, place, emit);
  }

  #holds(test: Test, place: Place): boolean {
    this.#budget.step();
    switch (test.kind) {
      case "or":
        return test.of.some((each) => this.#holds(each, place));
      case "and":
        return test.of.every((each) => this.#holds(each, place));
      case "not":
        return !this.#holds(test.of, place);
      case "exists":
        return this.#places(test.query, place, 1).length > 0;
      case "compare":
        return compare(test.operator, this.#valueOf(test.left, place), this.#valueOf(test.right, place), this.#budget);
    }
  }

  /** @returns undefined for nothing */
  #valueOf(from: Comparable, place: Place): Json | undefined {
    switch (from.kind) {
      case "literal":
        return from.value;
      case "value": {
        const found = this.#places(from.query, place, 2);
        return found.length === 1 ? found[0]?.value : undefined;
      }
      case "count":
        return this.#places(from.query, place, Infinity).length;
      case "length": {
        const value = this.#valueOf(from.of, place);
        // In characters, not in the halves that JavaScript counts.
        if (typeof value === "string") return Array.from(value).length;
        if (Array.isArray(value)) return value.length;
        return value !== undefined && isJsonObject(value) ? Object.keys(value).length : undefined;
      }
    }
  }

  #places(query: Query, place: Place, most: number): Place[] {
    const found: Place[] = [];
    try {
      this.walk(query.segments, 0, query.from === "root" ? this.#root : place, (each) => {
        if (found.push(each) >= most) throw ENOUGH;
      });
    } catch (error) {
      if (error !== ENOUGH) throw error;
    }
    return found;
  }
}

const ENOUGH = new Error("enough was found");

function emitAt(value: Json[], at: number, parent: Place, emit: Emit): void {
  const entry = value[at];
  if (entry !== undefined) emit({ value: entry, key: at, parent });
}
