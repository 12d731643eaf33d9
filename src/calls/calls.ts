import type { CallEnd, CallRequest, ResultOf, Wanted } from "../core/call.ts";

/** The line that every call walks. */
export interface Calls {
  /**
   * @throws DynamicMcpError for a refusal (unknown tool, rate limit, denied, invalid paging ...)
   * @throws anything else for a bug of ours; the edge answers INTERNAL with an incident id
   */
  call<W extends Wanted>(request: CallRequest & { wanted: W }): Promise<CallEnd<ResultOf<W>>>;

  /** Calls running now. */
  running(): number;

  /** Refuses new calls, waits for running ones up to `graceMs`, then ends them with reason `shutdown`. */
  drain(graceMs: number): Promise<void>;
}
