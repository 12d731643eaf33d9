import type { Exposure } from "./exposure.ts";

/** Who a call is made for. `local` is the person at this machine: stdio, or loopback without credentials. */
export interface Principal {
  /** Stable, e.g. `local` or `admin`. Everything that is kept or limited per person is keyed by it. */
  id: string;
  kind: "local" | "admin" | "user";
  /** Proved to be the operator: the admin token came with the request, or the CLI runs on the operator's own store. */
  isAdmin: boolean;
}

export const LOCAL: Principal = Object.freeze({ id: "local", kind: "local", isAdmin: false });

/** The principal together with the way it came in. */
export interface Caller {
  principal: Principal;
  /** The client's older-era MCP session, or its stdio process. */
  channel?: string;
  /** Our own session row, once there is one. */
  session?: string;
  client?: { name: string; version: string };
  /** How the address that it came by wants tools listed (`/mcp?exposure=search`). */
  exposure?: Exposure;
}
