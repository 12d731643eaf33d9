import type { Json } from "../../core/json.ts";

/** A JSONPath query, parsed. Names are those of RFC 9535. */
export interface Query {
  /** `@` begins at the node that a filter looks at, `$` at the root. */
  from: "root" | "current";
  segments: Segment[];
}

export interface Segment {
  /** `..`: the node itself and all below it. */
  isDescendant: boolean;
  selectors: Selector[];
}

export type Selector =
  | { kind: "name"; name: string }
  | { kind: "wildcard" }
  | { kind: "index"; index: number }
  | { kind: "slice"; start: number | undefined; end: number | undefined; step: number }
  | { kind: "filter"; test: Test };

export type Test =
  | { kind: "or" | "and"; of: Test[] }
  | { kind: "not"; of: Test }
  | { kind: "exists"; query: Query }
  | { kind: "compare"; operator: Operator; left: Comparable; right: Comparable };

export const OPERATORS = ["==", "!=", "<=", ">=", "<", ">"] as const;
export type Operator = (typeof OPERATORS)[number];

export type Comparable =
  | { kind: "literal"; value: Json }
  /** The value of the one node that the query can lead to, or nothing. */
  | { kind: "value"; query: Query }
  | { kind: "count"; query: Query }
  | { kind: "length"; of: Comparable };

export function isSingular({ segments }: Query): boolean {
  return segments.every(
    ({ isDescendant, selectors }) =>
      !isDescendant && selectors.length === 1 && (selectors[0]?.kind === "name" || selectors[0]?.kind === "index"),
  );
}
