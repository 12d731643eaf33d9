/**
 * Whether an address to listen on is reached from this machine alone; with or without the brackets of IPv6.
 *
 * Names that are not addresses may resolve to anything, so only `localhost` and what ends with it count (RFC 6761).
 */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return bare === "::1" || bare === "localhost" || bare.endsWith(".localhost") || LOOPBACK_V4.test(bare);
}

const LOOPBACK_V4 = /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
