import type { CallRecord } from "../core/call.ts";
import type { Caller } from "../core/caller.ts";
import type { Named } from "./surface.ts";

/** Finds tools by words in what a caller may use, whether it is listed or not. The index follows the surface. */
export interface Finder {
  /**
   * @param options.group only tools of this server
   * @returns best first; empty when nothing fits
   */
  find(
    caller: Caller,
    query: string,
    options: { limit: number; group?: string },
  ): { hits: { named: Named<"tool">; score: number }[]; total: number };

  /**
   * Every call that has ended. One that worked and was among the hits of a search by the same caller, shortly before, is
   * learnt from.
   */
  observe(record: CallRecord): void;
}

export interface OpenFinder extends Finder {
  /** Writes down what has been learnt and is not written yet. Never fails, safe to call twice. */
  close(): Promise<void>;
}
