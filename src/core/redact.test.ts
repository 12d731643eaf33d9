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
      list: ["x***y", "***", 1_234_567, "***", true, null],
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

describe("hiding what was cut or wrapped", () => {
  const token = Array.from({ length: 11_003 }, (_, n) => "abcdefghijkmnopqrstuvwxyz0123456789"[(n * n + 7 * n) % 35]).join(""); // prettier-ignore
  const short = "tk_9fQ2x";
  const hide = hideValues([token, short]);

  it("finds the beginning of one at a cut end, from 4 characters on, and its end at a cut beginning", () => {
    for (const kept of [4, 5, 15, 16, 31, 32, 4_000, 11_002]) {
      expect(hide(`it was: ${token.slice(0, kept)}`, "end")).toBe("it was: ***");
      expect(hide(`${token.slice(-kept)} it was`, "both")).toBe("*** it was");
    }
    expect(hide("it was: tk_9", "end")).toBe("it was: ***");
    expect(hide("Q2x it was, fQ2x", "both")).toBe("Q2x it was, fQ2x");
    expect(hide("9fQ2x it was", "both")).toBe("*** it was");
    // Three characters are in every text; and what was not cut is not searched so.
    expect(hide("it was: tk_", "end")).toBe("it was: tk_");
    expect(hide("9fQ2x it was: tk_9", "end")).toBe("9fQ2x it was: ***");
    expect(hide("it was: tk_9")).toBe("it was: tk_9");
  });

  it("finds the beginning of one in front of a mark that says that something was cut", () => {
    expect(hide(`{ a: "x${token.slice(0, 12)}...", b: 1 }`, "end")).toBe('{ a: "x***...", b: 1 }');
    expect(hide(`[ "tk_9f... 3 more characters" ]`, "end")).toBe('[ "***... 3 more characters" ]');
  });

  it("finds the middle of one: 16 characters where texts are cut, 64 elsewhere", () => {
    const piece = (chars: number) => `a ${token.slice(500, 500 + chars)} b`;
    expect(hide(piece(16), "end")).toBe("a *** b");
    expect(hide(piece(15), "end")).toBe(piece(15));
    expect(hide(piece(64))).toBe("a *** b");
    expect(hide(piece(63))).toBe(piece(63));
  });

  it("finds one of any length as a whole, and those that overlap", () => {
    for (let chars = 4; chars <= 80; chars++) {
      const secret = token.slice(40, 40 + chars);
      expect(hideValues([secret])(`-${secret}-${secret}${secret}-`)).toBe("-***-***-");
    }
    expect(hideValues(["abcdef", "defghi"])("(abcdefghi)")).toBe("(***)");
  });

  it("does not trip over half a character", () => {
    const withFace = hideValues(["secret\u{1F600}word"]);
    expect(withFace("x secret\ud83d", "end")).toBe("x ***\ud83d");
    expect(withFace("x secret\ufffd", "end")).toBe("x ***\ufffd");
    expect(withFace("\ude00word x", "both")).toBe("\ude00*** x");
  });

  it("leaves a line of one character alone: it tells nothing", () => {
    const key = "-----BEGIN KEY-----\nabcdefghijklmnop\n-----END KEY-----";
    expect(hideValues([key])("-----\n a -----", "both")).toBe("-----\n a -----");
  });

  it("finds one in JSON in JSON in JSON, as text and as JSON", () => {
    const q = 'pa"ss\\w\nörd';
    const hideQ = hideValues([q]);
    let json = JSON.stringify({ q });
    for (let depth = 0; depth < 3; depth++) {
      expect(hideQ(json)).not.toMatch(/pa|ss|rd/);
      const shown = hideInJsonText(json, hideQ);
      expect(shown).not.toMatch(/pa|ss|rd/);
      expect(() => JSON.parse(shown) as unknown).not.toThrow();
      json = JSON.stringify({ x: json });
    }
    expect(hideInJsonText(json, hideQ)).not.toMatch(/pa|ss|rd/);
  });

  it("finds a number that is one, below zero too, and as programs print it", () => {
    expect(hideInJsonText("[-48213377,48213377,148213377]", hideValues(["48213377"]))).toBe('["***","***",148213377]');
    expect(hideInJsonText("[12345678901234567000]", hideValues(["12345678901234567890"]))).toBe('["***"]');
    expect(hideInJsonText("[48213377]", hideValues(["0048213377"]))).toBe('["***"]');
  });

  const odd = "Pa\"ss w/r^d'[ü]|%2f(1)\\!";
  const url = (change: (url: URL) => void) => {
    const made = new URL("http://host/");
    change(made);
    return made.href;
  };
  it.each([
    ["a path", url((made) => (made.pathname = odd))],
    ["a query", url((made) => (made.search = odd))],
    ["a fragment", url((made) => (made.hash = odd))],
    ["a name", url((made) => (made.username = odd))],
    ["large letters", odd.toUpperCase()],
    ["small letters", odd.toLowerCase()],
    ["what escape() makes", "Pa%22ss%20w/r%5Ed%27%5B%FC%5D%7C%252f%281%29%5C%21"],
    ["strict percent codes", encodeURIComponent(odd).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)], // prettier-ignore
    ["large percent codes of its own", odd.replace("%2f", "%2F")],
    ["decoded", decodeURIComponent(odd)],
    ["JSON in a URL", encodeURIComponent(JSON.stringify({ odd }))],
    ["JSON in base64", btoa(JSON.stringify({ odd: 'Pa"ss\\word' }))],
    ["JSON of ASCII alone", JSON.stringify({ odd }).replace("ü", "\\u00fc")],
    ["JSON with slashes escaped", JSON.stringify({ odd }).replace("/", "\\/")],
  ])("finds one as %s", (_, text) => {
    const shown = hideValues([odd, 'Pa"ss\\word'])(text);
    expect(shown).toContain("***");
    expect(shown).not.toMatch(/pa.{1,10}ss|(?:w.{1,3}r)/i);
  });

  it("costs no more than reading, whatever was written and whatever the secret", () => {
    const clean = JSON.stringify(
      Array.from({ length: 5_000 }, (_, n) => ({ n, name: `item ${n}`, text: 'some "words"\n' })),
    );
    const hostile = [clean, JSON.stringify("\\\"".repeat(80_000)), JSON.stringify("tk_9... ".repeat(40_000)), JSON.stringify(token.slice(0, 15).repeat(20_000)), JSON.stringify("a".repeat(300_000))]; // prettier-ignore
    const lines = Array.from({ length: 2_000 }, (_, n) => `line${n}${token.slice(n, n + 5)}`).join("\n");
    const before = performance.now();
    for (const secrets of [[token], [short], ["a".repeat(60_000)], [lines]]) {
      const hideThem = hideValues(secrets);
      for (const json of hostile) {
        hideInJsonText(json, hideThem);
        hideThem(json, "both");
      }
    }
    // Forty passes; quadratic work would take minutes.
    expect(performance.now() - before).toBeLessThan(20_000);
  });
});
