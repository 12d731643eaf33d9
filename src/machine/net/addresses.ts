import { BlockList, isIPv4, isIPv6 } from "node:net";
import { DynamicMcpError } from "../../core/errors.ts";

/** Says of an address, as a resolver or socket writes it, whether a sandbox may be connected to it. */
export type AddressRule = (address: string) => boolean;

/**
 * IPv4 that is nobody's public host: this host, private, shared (CGNAT), loopback, link-local (with the metadata service
 * of clouds), protocol assignments, documentation, 6to4 relays, benchmarks, multicast, reserved, broadcast; and Azure's
 * platform address, which is public only by its number.
 *
 * @see IANA IPv4 Special-Purpose Address Registry (RFC 6890)
 */
const REFUSED_V4 = [
  "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
  "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
  "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16",
]; // prettier-ignore

/** Of IPv6 only global unicast is public, */
const PUBLIC_V6 = ["2000::/3"];
/** less protocol assignments (Teredo among them), documentation and 6to4: tunnels hide an IPv4 address of any kind. */
const REFUSED_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/** Their last 32 bits are the IPv4 address that is really meant: IPv4-mapped, and NAT64 (RFC 6052). */
const MEANS_V4: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
];

/**
 * Public addresses, and those that the operator opens.
 *
 * @param allowed CIDR ranges or addresses, IPv4 or IPv6
 * @throws CONFIG_INVALID when one cannot be read
 */
export function createAddressRule(allowed: readonly string[]): AddressRule {
  const opened = rangesOf(allowed);
  const refused = rangesOf([...REFUSED_V4, ...REFUSED_V6]);
  const publicV6 = rangesOf(PUBLIC_V6);
  return (given) => {
    const address = meant(given);
    if (isIPv4(address)) return opened.check(address, "ipv4") || !refused.check(address, "ipv4");
    if (!isIPv6(address)) return false;
    if (opened.check(address, "ipv6")) return true;
    return publicV6.check(address, "ipv6") && !refused.check(address, "ipv6");
  };
}

/** Whether `text` is a CIDR range or an address, as {@link createAddressRule} takes them. */
export function isAddressRange(text: string): boolean {
  return readRange(text) !== undefined;
}

function rangesOf(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const range = readRange(text);
    if (!range) {
      const how = "write a range such as 10.1.0.0/16 or fd12:3456::/32, or one address";
      throw new DynamicMcpError("CONFIG_INVALID", `${JSON.stringify(text)} is no range of addresses; ${how}`);
    }
    list.addSubnet(range.address, range.bits, range.family);
  }
  return list;
}

function readRange(text: string): { address: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const [, address = "", bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text.trim()) ?? [];
  const family = isIPv4(address) ? "ipv4" : isIPv6(address) ? "ipv6" : undefined;
  if (!family) return undefined;
  const most = family === "ipv4" ? 32 : 128;
  const length = bits === undefined ? most : Number(bits);
  return length > most ? undefined : { address, bits: length, family };
}

/** The IPv4 address inside an IPv6 one that stands for it; everything else as it is. Zones (`%eth0`) stay and match nothing. */
function meant(address: string): string {
  if (!isIPv6(address) || address.includes("%")) return address;
  const groups = groupsOf(address);
  const [high = 0, low = 0] = groups.slice(6);
  const isV4 = MEANS_V4.some((prefix) => prefix.every((group, at) => group === groups[at]));
  return isV4 ? [high >> 8, high & 255, low >> 8, low & 255].join(".") : address;
}

/** The eight groups of an IPv6 address. The URL parser writes all spellings alike. */
function groupsOf(address: string): number[] {
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const read = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const before = read(head);
  if (tail === undefined) return before;
  const after = read(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}
