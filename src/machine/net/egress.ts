import type { Deadline } from "../../core/deadline.ts";

/**
 * The one way by which code in sandboxes reaches the network: HTTP(S), to hosts that were allowed by name, at addresses
 * that are checked at the moment of connecting. Private, loopback, link-local, multicast and metadata ranges are refused
 * in every spelling, also when a name resolves to them, also after a redirect.
 */
export interface Egress {
  /**
   * @param allowed what this code may reach, within what the operator allows
   * @throws FETCH_REFUSED; `data.reason` is `url`, `scheme`, `credentials`, `host` (its port too), `address`, `method`,
   *   `header` or `redirect`
   * @throws FETCH_FAILED (no connection, no whole answer in time), TOO_LARGE (body there or back), OVERLOADED (what all
   *   answers may hold together); the deadline's own error
   */
  fetch(request: EgressRequest, allowed: readonly string[], deadline: Deadline): Promise<EgressResponse>;
  close(): Promise<void>;
}

export interface EgressRequest {
  url: string;
  /** Default GET. */
  method?: string;
  headers?: readonly (readonly [string, string])[];
  body?: Uint8Array;
  redirect?: "follow" | "error" | "manual";
}

export interface EgressResponse {
  status: number;
  statusText: string;
  /** After redirects. */
  url: string;
  redirected: boolean;
  headers: [string, string][];
  body: Uint8Array;
}

export interface EgressOptions {
  /**
   * Hosts that the operator allows: `api.example.com`, `*.example.com` (subdomains, not the name itself), with an optional
   * `:port` (default: 443 for https, 80 for http). Empty: nothing. `*` alone: any public host.
   */
  allowedHosts: readonly string[];
  /** Addresses that are allowed although they are private, as CIDR: `10.1.0.0/16`. For an operator's own network. */
  allowedAddresses: readonly string[];
  maxRequestBytes: number;
  /** Of the body, packed and unpacked. */
  maxResponseBytes: number;
  /** For one fetch with all its redirects. */
  timeoutMs: number;
  maxRedirects: number;
}
