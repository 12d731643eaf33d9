import { DynamicMcpError } from "../../core/errors.ts";

/** What all answers together may hold in memory. Who waits holds nothing, so slow servers keep nobody out. */
export interface ByteBudget {
  /** For one answer. */
  open(): ByteShare;
}

export interface ByteShare {
  /** @throws OVERLOADED when there is not so much left */
  take(bytes: number): void;
  /** Gives back all that was taken. */
  release(): void;
}

const RETRY_AFTER_MS = 1_000;

export function createByteBudget(maxBytes: number): ByteBudget {
  let held = 0;
  return {
    open() {
      let own = 0;
      let isOver = false;
      return {
        take(bytes) {
          // Somebody still reads what nobody waits for any more.
          if (isOver) return;
          if (held + bytes > maxBytes) {
            const why = `answers to code in sandboxes hold ${maxBytes} bytes together, which is the limit; try again in a moment`;
            throw new DynamicMcpError("OVERLOADED", why, { data: { retryAfterMs: RETRY_AFTER_MS } });
          }
          held += bytes;
          own += bytes;
        },
        release() {
          held -= own;
          own = 0;
          isOver = true;
        },
      };
    },
  };
}
