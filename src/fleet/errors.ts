import { DynamicMcpError } from "../core/errors.ts";

/** @param why without a full stop at its end */
export function unavailable(server: string, why: string, retryAt?: number, cause?: unknown): DynamicMcpError {
  const when = retryAt === undefined ? "call again in a moment" : `it is tried again at ${iso(retryAt)}`;
  return new DynamicMcpError(
    "UPSTREAM_UNAVAILABLE",
    `the server ${JSON.stringify(server)} cannot be used now: ${why}; ${when}, and its log says more (dynamic-mcp servers logs ${server})`,
    { data: { server, ...(retryAt === undefined ? {} : { retryAt: iso(retryAt) }) }, cause },
  );
}

/** A connection that could not be made, or has ended under a call: what the wire says, and what to do. */
export function lost(server: string, error: DynamicMcpError): DynamicMcpError {
  const message = `${error.message}; the next call connects it again, and its log says more (dynamic-mcp servers logs ${server})`;
  return new DynamicMcpError("UPSTREAM_UNAVAILABLE", message, { data: { server, ...error.data }, cause: error });
}

export function invalid(server: string, what: string): DynamicMcpError {
  return new DynamicMcpError("UPSTREAM_INVALID", `the server ${JSON.stringify(server)} ${what}`, { data: { server } });
}

export function disabled(server: string, problem: string | undefined): DynamicMcpError {
  const why = problem === undefined ? "is switched off by its definition" : `cannot be used: ${problem}`;
  return new DynamicMcpError("SERVER_DISABLED", `the server ${JSON.stringify(server)} ${why}`, { data: { server } });
}

export function removed(server: string): DynamicMcpError {
  return new DynamicMcpError(
    "SERVER_NOT_FOUND",
    `the server ${JSON.stringify(server)} was taken out of the configuration; list the tools again to see what there is`,
    { data: { server } },
  );
}

/** Whatever was thrown on the way to a server, as one of ours. */
export function asUpstreamError(server: string, error: unknown): DynamicMcpError {
  if (error instanceof DynamicMcpError) return error;
  return unavailable(server, error instanceof Error ? error.message : String(error), undefined, error);
}

export const iso = (ms: number) => new Date(ms).toISOString();
