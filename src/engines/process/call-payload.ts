import type { JobLimits } from "../engine.ts";

/** Beside a tool's arguments: its name, or that of a secret, and JSON's own marks. */
const ENVELOPE_BYTES = 64 * 1024;
/** The most that an operator can let `fetch` send (32 MiB) in base64, with its address and headers. */
const FETCH_BYTES = 48 * 1024 * 1024;

/** How much JSON a host call may have; what reads it takes many times as much for a moment. */
export function maxPayloadBytes(method: string, { argsBytes }: JobLimits): number {
  return method === "fetch" ? FETCH_BYTES : argsBytes + ENVELOPE_BYTES;
}

/** What a guest is told instead of making such a call. */
export const tooLargeCall = (bytes: number, limit: number): string =>
  `the arguments of the call have ${bytes} bytes of JSON; at most ${limit} are allowed`;
