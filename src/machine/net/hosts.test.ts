import { describe, expect, it } from "vitest";
import { isHostPattern, matchesHost } from "./hosts.ts";

const matches = (pattern: string, url: string) => matchesHost([pattern], new URL(url));

describe("host patterns", () => {
  it.each([
    ["api.example.com", "https://api.example.com/x"],
    ["api.example.com", "http://api.example.com"],
    ["API.Example.COM", "https://api.EXAMPLE.com."],
    ["api.example.com.", "https://api.example.com"],
    ["api.example.com:8443", "https://api.example.com:8443"],
    ["api.example.com:443", "https://api.example.com"],
    ["api.example.com:80", "http://api.example.com"],
    ["*.example.com", "https://a.example.com"],
    ["*.example.com", "https://a.b.example.com"],
    ["*.bücher.example", "https://a.xn--bcher-kva.example"],
    ["xn--bcher-kva.example", "https://B\u00dcCHER.example"],
    ["example.com", "https://\uff45xample\u3002com"],
    ["*", "https://anything.example"],
    ["*:8080", "http://anything.example:8080"],
    ["93.184.216.34", "https://93.184.216.34"],
    ["93.184.216.34", "https://0x5db8d822"],
    ["[2606:4700::1111]", "https://[2606:4700:0::1111]"],
    ["2606:4700::1111", "https://[2606:4700::1111]"],
    ["[2606:4700::1111]:8443", "https://[2606:4700::1111]:8443"],
  ])("%s means %s", (pattern, url) => {
    expect(isHostPattern(pattern)).toBe(true);
    expect(matches(pattern, url)).toBe(true);
  });

  it.each([
    ["api.example.com", "https://example.com"],
    ["api.example.com", "https://api.example.com.evil.example"],
    ["api.example.com", "https://evilapi.example.com"],
    ["api.example.com", "https://api.example.com:8443"],
    ["api.example.com", "http://api.example.com:443"],
    ["api.example.com:443", "http://api.example.com"],
    ["*.example.com", "https://example.com"],
    ["*.example.com", "https://notexample.com"],
    ["*.example.com", "https://a.example.com.evil.example"],
    ["*.example.com", "https://.example.com"],
    ["*", "https://anything.example:8080"],
    ["example.com", "https://exаmple.com"], // a Cyrillic letter
  ])("%s does not mean %s", (pattern, url) => {
    expect(matches(pattern, url)).toBe(false);
  });

  it.each(["", " ", "https://a.example", "a.example/x", "user@a.example", "a.*.example", "*a.example", "*.", "**", "*.10.0.0.1", "a.example:0", "a.example:65536", "a.example:x", "a b", "a.example?x", "a.example#x", "a\\b", "::1:"])(
    "%s is none, and matches nothing",
    (pattern) => {
      expect(isHostPattern(pattern)).toBe(false);
      expect(matches(pattern, "https://a.example")).toBe(false);
    },
  ); // prettier-ignore
});
