import type { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { notificationText, type RequestId, type RpcError } from "./json-rpc.ts";
import { RPC } from "./protocol.ts";

/** Ids of our own requests; a client counts its own from elsewhere, and the two never meet. */
let asked = 0;

/** Requests of ours that one client of the older era has not answered yet. */
export class ClientAsks {
  readonly #waiting = new Map<RequestId, { resolve: (result: JsonObject) => void; reject: (error: Error) => void }>();

  /**
   * @param send gives the text to the client; false when it cannot be reached
   * @throws CANCELLED when the client refuses, goes away or cannot be reached; CAPABILITY_MISSING when it has no such
   * method; the deadline's own error when the call ends first
   */
  async ask(
    method: string,
    params: JsonObject,
    deadline: Deadline,
    send: (text: string) => boolean,
  ): Promise<JsonObject> {
    deadline.throwIfEnded();
    const id = `dynamic-mcp-${++asked}`;
    const { signal } = deadline;
    let onEnd: (() => void) | undefined;
    try {
      return await new Promise<JsonObject>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        onEnd = () => {
          send(notificationText("notifications/cancelled", { requestId: id, reason: deadline.error().message }));
          reject(deadline.error());
        };
        signal.addEventListener("abort", onEnd, { once: true });
        if (!send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))) reject(unreachable());
      });
    } finally {
      this.#waiting.delete(id);
      if (onEnd) signal.removeEventListener("abort", onEnd);
    }
  }

  /** Takes an answer of the client. @returns false when nothing waits for it */
  answer(id: RequestId, result: JsonObject | undefined, error: RpcError | undefined): boolean {
    const waiting = this.#waiting.get(id);
    if (!waiting) return false;
    if (result) waiting.resolve(result);
    else waiting.reject(refusedBy(error));
    return true;
  }

  /** The client is gone: nothing will be answered. */
  close(): void {
    for (const { reject } of this.#waiting.values()) reject(unreachable());
  }
}

function unreachable(): DynamicMcpError {
  return new DynamicMcpError("CANCELLED", "the client can no longer be asked: its connection is closed");
}

function refusedBy(error: RpcError | undefined): DynamicMcpError {
  if (error?.code === RPC.methodNotFound) {
    return new DynamicMcpError("CAPABILITY_MISSING", "the client does not know what it was asked", { data: { requiredCapabilities: {} } }); // prettier-ignore
  }
  const why = error?.message ? `: ${error.message.slice(0, 300)}` : "";
  return new DynamicMcpError("CANCELLED", `the client refused to answer${why}`, { data: { reason: "refused" } });
}
