export interface Promised {
  id: string;
  promise: string;
  /** A page of ours, or the specification and section that asks for it. */
  source: string;
}
