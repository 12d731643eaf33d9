import type { CallRecord } from "../core/call.ts";

/**
 * What happened. Kept in the store in batches (its tail may be lost in a crash) and, when asked for, as JSONL in an
 * audit file. Records are redacted before they get here.
 */
export interface Journal {
  /** Never throws and never waits. */
  record(record: CallRecord): void;
  /** Writes what is waiting. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
