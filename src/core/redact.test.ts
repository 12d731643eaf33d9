import { describe, expect, it } from "vitest";
import { hideValues, redact, redactText } from "./redact.ts";

describe("redact", () => {
  it("hides values under keys that name a secret, at any depth", () => {
    expect(redact({ a: [{ adminToken: "t0p", name: "x" }], headers: { Authorization: "Bearer abc" } })).toEqual({
      a: [{ adminToken: "***", name: "x" }],
      headers: { Authorization: "***" },
    });
  });

  it("hides lists under such keys", () => {
    expect(redact({ passwords: ["one", ["two"], { name: "x" }] })).toEqual({
      passwords: ["***", ["***"], { name: "x" }],
    });
  });

  it("keeps objects under such keys readable but hides what is secret inside", () => {
    expect(redact({ tokens: { count: 3, apiKey: "k" } })).toEqual({ tokens: { count: 3, apiKey: "***" } });
  });

  it("takes credentials out of running text", () => {
    expect(redactText("got 401 for Bearer eyJhbGciOi.abc-def")).toBe("got 401 for Bearer ***");
  });

  it("looks into JSON that is written in a text, and into query strings", () => {
    expect(redactText('said {"user":"u","password": "p \\"q\\" r","n":1}')).toBe(
      'said {"user":"u","password": "***","n":1}',
    );
    expect(redactText("http://h/?a=1&api_key=k1&b=2")).toBe("http://h/?a=1&api_key=***&b=2");
    expect(redactText("this needs the admin token: pass it")).toBe("this needs the admin token: pass it");
  });

  it("takes known values out of any text, also escaped ones", () => {
    const hide = hideValues(['a"b\\c', "s3cret", "abc"]);
    expect(hide(`x s3cret y ${JSON.stringify({ v: 'a"b\\c' })} abc`)).toBe('x *** y {"v":"***"} abc');
  });

  it("treats __proto__ as data", () => {
    const shown = redact(JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(Object.keys(shown as object)).toEqual(["__proto__"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("ends at a depth of eight", () => {
    const deep: Record<string, unknown> = {};
    let at = deep;
    for (let level = 0; level < 20; level++) at = at["next"] = {} as Record<string, unknown>;
    expect(JSON.stringify(redact(deep))).toContain("[deep]");
  });
});
