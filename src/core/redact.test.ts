import { assert, json as jsonText, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { hideInJsonText, hideValues, redact, redactText } from "./redact.ts";

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

describe("hiding known values", () => {
  const secret = "pa?s w/rd+ü1";
  const hide = hideValues([secret]);

  it.each([
    ["as it is", secret],
    ["in JSON in a text", JSON.stringify({ v: 'q"uote' })],
    ["in a URL", encodeURIComponent(secret)],
    ["in a URL, in small letters", encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())],
    ["in a form", new URLSearchParams({ v: secret }).toString().slice(2)],
    ["in base64", Buffer.from(secret).toString("base64")],
    ["in base64 for URLs", Buffer.from(secret).toString("base64url")],
    ["in hex", Buffer.from(secret).toString("hex")],
    ["in large hex", Buffer.from(secret).toString("hex").toUpperCase()],
    ["as the password of Basic credentials", Buffer.from(`ann:${secret}`).toString("base64")],
    ["in the middle of base64", Buffer.from(`ab${secret}c`).toString("base64")],
  ])("finds one %s", (_, text) => {
    const both = hideValues([secret, 'q"uote']);
    const shown = both(`before ${text} after`);
    expect(shown).toContain("***");
    expect(shown.startsWith("before ") && shown.endsWith(" after")).toBe(true);
    expect(Buffer.from(shown.slice(7, -6), "base64").toString()).not.toContain("w/rd");
  });

  it("finds the lines of one that has several", () => {
    const key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAQEFAASCBKcwggSjAgEAAoI\n-----END KEY-----\n";
    expect(hideValues([key])("  MIIEvQIBADANBgkqhkiG9w0\r\n")).toBe("  ***\r\n");
  });

  it("leaves what is too short to be found alone", () => {
    expect(hideValues(["abc", ""])("abc")).toBe("abc");
    expect(hideValues(["abcd"])("abcd")).toBe("***");
  });

  it("keeps JSON JSON: texts, keys and whole numbers, at any place", () => {
    const value = { [secret]: 1, list: [`x${secret}y`, 123_456, 1_234_567, -123_456, true, null], q: 'a"b' };
    expect(JSON.parse(hideInJsonText(JSON.stringify(value), hideValues([secret, "123456"])))).toEqual({
      "***": 1,
      list: ["x***y", "***", 1_234_567, -123_456, true, null],
      q: 'a"b',
    });
    expect(hideInJsonText('{ "a": ["b"] }', hide)).toBe('{ "a": ["b"] }');
  });

  it("finds one that JSON escapes", () => {
    const odd = 'a"b\\c\nd\u0001';
    expect(hideInJsonText(JSON.stringify({ v: `\\${odd}\\`, w: '"' }), hideValues([odd]))).toBe('{"v":"\\\\***\\\\","w":"\\""}'); // prettier-ignore
    expect(JSON.parse(hideInJsonText('["\\u0070a?s w\\/rd+\\u00fc1", "pa?s w/rd+ü1"]', hide))).toEqual(["***", "***"]);
  });

  it("is not stopped by depth", () => {
    const deep = `${"[".repeat(200_000)}"${secret}"${"]".repeat(200_000)}`;
    expect(hideInJsonText(deep, hide)).toBe(`${"[".repeat(200_000)}"***"${"]".repeat(200_000)}`);
  });

  it("gives back JSON that says the same but for the secret, whatever it is", () => {
    assert(
      property(jsonText(), string({ minLength: 4 }), (text, needle) => {
        const shown = hideInJsonText(text, hideValues([needle]));
        expect(() => JSON.parse(shown) as unknown).not.toThrow();
      }),
    );
  });
});
