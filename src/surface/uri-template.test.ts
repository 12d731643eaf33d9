import { describe, expect, it } from "vitest";
import { parseTemplate } from "./uri-template.ts";

describe("a URI template", () => {
  it.each<[string, string, Record<string, string> | undefined]>([
    ["a://x/{id}", "a://x/1", { id: "1" }],
    ["a://x/{id}", "a://x/a%20b", { id: "a b" }],
    ["a://x/{id}", "a://x/", undefined],
    ["a://x/{id}", "a://x/1/2", undefined],
    ["a://x/{id}", "a://x/%E0%A4%A", undefined],
    ["a://{x}/{y}.txt", "a://one/two.three.txt", { x: "one", y: "two.three" }],
    ["file:///{+path}", "file:///a/b/c.txt", { path: "a/b/c.txt" }],
    ["{+whole}", "any:thing/at?all#x", { whole: "any:thing/at?all#x" }],
    ["a://s{?q,limit}", "a://s", {}],
    ["a://s{?q,limit}", "a://s?limit=2&q=a%26b&other=1", { limit: "2", q: "a&b" }],
    ["a://s?fixed=1{&q}", "a://s?fixed=1&q=x", { q: "x" }],
    ["a://r{/a,b}", "a://r/one/two", { a: "one", b: "two" }],
    ["a://r{/path*}", "a://r/one/two/three", { path: "one/two/three" }],
    ["a://r{/path*}", "a://r", {}],
    ["a://d{#part}", "a://d#here", { part: "here" }],
    ["a://d{#part}", "a://d", {}],
    ["a://f{.ext}", "a://f.json", { ext: "json" }],
    ["a://m{;v}", "a://m;v=3", { v: "3" }],
    ["a://l/{a,b}", "a://l/1,2,3", { a: "1", b: "2,3" }],
    ["a://p/{name:3}", "a://p/abc", { name: "abc" }],
    ["a://x/{a}{b}", "a://x/12", { a: "1", b: "2" }],
    ["a://x/{not a name}", "a://x/{not a name}", {}],
    ["a://x/{=later}", "a://x/{=later}", {}],
    ["a://plain", "a://plain", {}],
    ["a://plain", "a://plain/more", undefined],
    ["a.b://x/{id}", "aXb://x/1", undefined],
    ["a://x/{__proto__}", "a://x/1", JSON.parse('{"__proto__":"1"}') as Record<string, string>],
  ])("%s fits %s: %o", (template, uri, variables) => {
    expect(parseTemplate(template).match(uri)).toEqual(variables);
  });

  it("takes time in proportion to the URI, whoever wrote the template", () => {
    const worst = parseTemplate(`a://${"{+x}a".repeat(32)}b`);
    const start = performance.now();
    for (let round = 0; round < 5; round++) expect(worst.match(`a://${"a".repeat(8_000)}c`)).toBeUndefined();
    expect(worst.match(`a://${"a".repeat(8_000)}b`)).toBeDefined();
    // With a backtracking expression this takes longer than anybody waits.
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it("spends no more effort on matches than there is, and little on what cannot fit", () => {
    const template = parseTemplate("a://{x}b{y}");
    const { length } = "a://1b2";
    const parts = 4;
    const effort = { left: length + 2 * (length + parts * length) };
    expect(template.match("b://1b2", effort)).toBeUndefined();
    expect(template.match("a://1c2", effort)).toBeUndefined();
    expect(effort.left).toBe(2 * (length + parts * length));
    expect(template.match("a://1b2", effort)).toEqual({ x: "1", y: "2" });
    expect(template.match("a://1b2", effort)).toEqual({ x: "1", y: "2" });
    expect(template.match("a://1b2", effort)).toBeUndefined();
  });

  it("fits nothing when it or the URI is longer than any that means something", () => {
    const long = (chars: number) => `a://${"x".repeat(chars - 4)}`;
    expect(parseTemplate(long(2_048)).match(long(2_048))).toEqual({});
    expect(parseTemplate(long(2_049)).match(long(2_049))).toBeUndefined();
    expect(parseTemplate("{+x}").match(long(8_192))).toBeDefined();
    expect(parseTemplate("{+x}").match(long(8_193))).toBeUndefined();
    expect(parseTemplate("{+x}/".repeat(33)).match("x/".repeat(33))).toBeUndefined();
  });
});
