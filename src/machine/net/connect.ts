import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { AddressRule } from "./addresses.ts";
import { placeOf } from "./hosts.ts";
import { failed, refused } from "./request-head.ts";

export interface Address {
  address: string;
  family: number;
}

/** Finds the addresses of a name. Errors are those of `dns.lookup`. */
export type Lookup = (host: string) => Promise<readonly Address[]>;

/** As the machine itself resolves names: its hosts file, its search domains. */
export const lookupAsTheMachine: Lookup = (host) => systemLookup(host, { all: true, order: "verbatim" });

const LOOPBACK: readonly Address[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

/**
 * Where a URL may be connected to. It is asked once, and what is connected to is what was checked: a name that is
 * resolved again could mean another address the second time (DNS rebinding).
 *
 * @returns at least one address, the allowed ones of all that the name has
 * @throws FETCH_REFUSED when none is allowed; it names none, since an inner network's names are nobody's business
 * @throws FETCH_FAILED when the name does not resolve
 */
export async function checkedAddresses(url: URL, mayConnect: AddressRule, lookup: Lookup): Promise<Address[]> {
  const { host } = placeOf(url);
  const all = await addressesOf(host, lookup);
  const allowed = all.filter(({ address }) => mayConnect(address));
  if (allowed.length > 0) return allowed;
  throw refused(`${host} is not at a public address, so code in a sandbox may not reach it`, "address", { host });
}

async function addressesOf(host: string, lookup: Lookup): Promise<readonly Address[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  // RFC 6761: always this machine, whatever a resolver says.
  if (host === "localhost" || host.endsWith(".localhost")) return LOOPBACK;
  try {
    return await lookup(host);
  } catch (error) {
    const cause = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw failed(`the name ${host} could not be resolved (${cause})`, { host, cause }, error);
  }
}
