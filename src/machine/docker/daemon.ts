import type { ApiAnswer, ApiRequest, Transport } from "./transport.ts";

/** Sends requests with the version that both sides speak; what the parts of the client are made on. */
export interface Daemon {
  call(request: ApiRequest): Promise<ApiAnswer>;
  json(request: ApiRequest): Promise<unknown>;
  lines: Transport["lines"];
  hijack: Transport["hijack"];
}
