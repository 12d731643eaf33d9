import type { Caller } from "../../core/caller.ts";
import { EXPOSURES, type Exposure } from "../../core/exposure.ts";
import { ProtocolError, RPC } from "../protocol.ts";

/**
 * How the address of a request wants tools listed: `/mcp?exposure=search`.
 *
 * Each request says it by itself, in the older era too: clients send all requests of a session to one address, nothing
 * needs to be kept for it, and any process can go on with the session.
 *
 * @param query what stands after `?`
 * @throws ProtocolError -32600 (400) for a value that there is not
 */
export function readExposure(query: string): Exposure | undefined {
  const given = new URLSearchParams(query).getAll("exposure");
  if (given.length === 0) return undefined;
  const exposure = given.length === 1 ? EXPOSURES.find((each) => each === given[0]) : undefined;
  if (exposure) return exposure;
  throw new ProtocolError(RPC.invalidRequest, `exposure must be one of ${EXPOSURES.join(", ")}`, {
    status: 400,
    data: { code: "INVALID_REQUEST", allowed: [...EXPOSURES] },
  });
}

/** The caller by this address. */
export function exposed(caller: Caller, exposure: Exposure | undefined): Caller {
  return exposure ? { ...caller, exposure } : caller;
}
