import { DynamicMcpError } from "./errors.ts";
import type { Json } from "./json.ts";

/** An error as JSON-RPC has it. */
export interface RpcError {
  code: number;
  message: string;
  data?: Json;
}

/**
 * What another server answered instead of a result. It goes on to the client as it came: the server knows best what it
 * refuses, and its numbers are part of what it promises.
 */
export class RemoteError extends DynamicMcpError {
  readonly rpc: RpcError;

  constructor(server: string, rpc: RpcError) {
    super("UPSTREAM_ERROR", rpc.message, { data: { server } });
    this.rpc = rpc;
  }
}
