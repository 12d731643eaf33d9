import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressRule, isAddressRange } from "./addresses.ts";

const mayConnect = createAddressRule([]);

const PRIVATE_V4 = [
  "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1",
  "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192",
  "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1",
  "239.255.255.255", "240.0.0.1", "255.255.255.255",
]; // prettier-ignore
const PUBLIC_V4 = ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255"]; // prettier-ignore

const hex = (v4: string, separator = ":") => {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}${separator}${((c << 8) | d).toString(16)}`;
};

describe("addresses", () => {
  it.each(PRIVATE_V4)("refuses %s, also inside IPv6", (v4) => {
    const inside = [`::ffff:${v4}`, `::FFFF:${hex(v4)}`, `0:0:0:0:0:ffff:${hex(v4)}`, `::${v4}`, `64:ff9b::${v4}`, `64:ff9b:1::${hex(v4)}`, `2002:${hex(v4)}::1`, `2001:0:${hex(v4)}::1`, `::ffff:0:${hex(v4)}`]; // prettier-ignore
    for (const address of [v4, ...inside]) expect([address, mayConnect(address)]).toEqual([address, false]);
  });

  it.each(PUBLIC_V4)("lets %s through, also where IPv6 only carries it", (v4) => {
    for (const address of [v4, `::ffff:${v4}`, `64:ff9b::${hex(v4)}`])
      expect([address, mayConnect(address)]).toEqual([address, true]);
  });

  it.each(["::", "::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "2001:db8::1", "3fff::1", "2001::1", "2002::1", "4000::1", "", "localhost", "1.2.3", "01.1.1.1", "1.1.1.1%0"])(
    "refuses %s",
    (address) => expect(mayConnect(address)).toBe(false),
  ); // prettier-ignore

  it.each(["2606:4700:4700::1111", "2a00:1450:4001::1", "2003::1"])("lets %s through", (address) => {
    expect(mayConnect(address)).toBe(true);
  });

  it("judges every IPv4 address as a plain computation does, whatever carries it", () => {
    const ranges = [[0, 8], [10, 8], [0x64400000, 10], [127, 8], [0xa9fe0000, 16], [0xac100000, 12], [0xc0a80000, 16], [0xe0000000, 3]] as const; // prettier-ignore
    const isInner = (n: number) => ranges.some(([base, bits]) => n >>> (32 - bits) === (base > 255 ? base >>> (32 - bits) : base)); // prettier-ignore
    const near = fc.constantFrom(...PRIVATE_V4).map((v4) => v4.split(".").reduce((n, part) => ((n << 8) | Number(part)) >>> 0, 0)); // prettier-ignore
    fc.assert(
      fc.property(fc.oneof(fc.nat({ max: 2 ** 32 - 1 }), near), (n) => {
        const v4 = [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join(".");
        if (isInner(n)) expect(mayConnect(v4)).toBe(false);
        expect(mayConnect(`::ffff:${v4}`)).toBe(mayConnect(v4));
        expect(mayConnect(`64:ff9b::${hex(v4)}`)).toBe(mayConnect(v4));
        expect(mayConnect(`2002:${hex(v4)}::`)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("never takes an IPv6 address outside of global unicast, however it is spelled", () => {
    const group = fc.nat({ max: 0xffff });
    fc.assert(
      fc.property(fc.tuple(group, group, group, group, group, group, group, group), (groups) => {
        const spellings = [groups.map((each) => each.toString(16)), groups.map((each) => each.toString(16).padStart(4, "0").toUpperCase())].map((each) => each.join(":")); // prettier-ignore
        const [first, second] = spellings.map(mayConnect);
        expect(first).toBe(second);
        if (groups[0] >>> 13 !== 1) expect(first).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("opens what the operator opens, in every spelling, and not one address more", () => {
    const own = createAddressRule(["10.1.0.0/16", "127.0.0.1", "fd12:3456::/32"]);
    for (const address of ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "127.0.0.1", "fd12:3456::1", "8.8.8.8"]) {
      expect([address, own(address)]).toEqual([address, true]);
    }
    for (const address of ["10.0.255.255", "10.2.0.0", "127.0.0.2", "fd12:3457::1", "169.254.169.254"]) {
      expect([address, own(address)]).toEqual([address, false]);
    }
  });

  it("opens everything when the operator says so", () => {
    const all = createAddressRule(["0.0.0.0/0", "::/0"]);
    expect([...PRIVATE_V4, "::1", "fe80::1", "::ffff:127.0.0.1"].every(all)).toBe(true);
  });

  it("takes no range that it cannot read", () => {
    for (const text of ["10.0.0.0/33", "10.0.0/8", "::/129", "host", "", "10.0.0.0/-1", "10.0.0.0/8/8"]) {
      expect([text, isAddressRange(text)]).toEqual([text, false]);
      expect(() => createAddressRule([text])).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    }
    expect(["10.0.0.0/8", "::/0", "::1", "1.2.3.4/32"].every(isAddressRange)).toBe(true);
  });
});
