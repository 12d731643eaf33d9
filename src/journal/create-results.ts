import { randomBytes } from "node:crypto";
import { DynamicMcpError } from "../core/errors.ts";
import type { Logger } from "../core/source.ts";
import type { KeptResult, ResultStore } from "../store/store.ts";
import { isLarge, takeLarge, withPreview } from "./large-result.ts";
import { readPart } from "./read-part.ts";
import type { Results } from "./results.ts";
import { handleOfUri, isHandle } from "./results-uri.ts";

export interface ResultsOptions {
  store: ResultStore;
  log: Logger;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Text that a model gets whole, in bytes of UTF-8. */
  limitBytes?: number;
  /** How long a result is kept, in ms. */
  keepMs?: number;
  /** Most that is kept for one principal, in bytes of UTF-8. */
  maxBytes?: number;
}

export interface KeptResults extends Results {
  /** Forgets what has expired. @returns how many */
  prune(): Promise<number>;
}

const HANDLE_BYTES = 16;
const MIB = 1024 * 1024;

/** Keeps large results in the store. */
export function createResults(options: ResultsOptions): KeptResults {
  const { store, log, now = Date.now, limitBytes = 50_000, keepMs = 3_600_000, maxBytes = 64 * MIB } = options;

  async function keep(text: string, result: Omit<KeptResult, "handle" | "createdAt" | "expiresAt" | "chars">) {
    const at = now();
    const kept: KeptResult = {
      ...result,
      handle: randomBytes(HANDLE_BYTES).toString("base64url"),
      createdAt: new Date(at).toISOString(),
      expiresAt: new Date(at + keepMs).toISOString(),
      chars: text.length,
    };
    try {
      await store.put(kept, text, { maxBytes });
      return kept;
    } catch (error) {
      const isTooLarge = error instanceof DynamicMcpError && error.code === "TOO_LARGE";
      if (!isTooLarge) log.warn({ err: error, tool: result.tool }, "a large result could not be kept");
      return { why: isTooLarge ? `it is larger than the ${maxBytes} bytes that are kept` : "the store failed" };
    }
  }

  async function find(handle: string, principal: string): Promise<KeptResult & { text: string }> {
    const kept = isHandle(handle) ? await store.get(handle, principal, new Date(now()).toISOString()) : undefined;
    if (kept) return kept;
    throw new DynamicMcpError(
      "RESULT_NOT_FOUND",
      `there is no kept result ${JSON.stringify(handle.slice(0, 50))}; results are kept for ${Math.round(keepMs / 60_000)} minutes, call the tool again`,
    );
  }

  return {
    async shorten(result, { caller, tool, hasOutputSchema }) {
      if (!isLarge(result, limitBytes, hasOutputSchema)) return result;
      const taken = takeLarge(result, hasOutputSchema);
      const kept = await keep(taken.text, { principal: caller.principal.id, tool, mimeType: taken.mimeType });
      return withPreview(result, taken, kept, limitBytes);
    },

    async read(caller, handle, part) {
      return readPart(await find(handleOfUri(handle) ?? handle, caller.principal.id), part, limitBytes);
    },

    async text(caller, handle) {
      const { text, mimeType } = await find(handle, caller.principal.id);
      return { text, mimeType };
    },

    prune: () => store.prune(new Date(now()).toISOString()),
  };
}
