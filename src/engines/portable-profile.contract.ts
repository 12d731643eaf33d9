import { describe, expect, it } from "vitest";

/** The globals that a body finds on every engine. @param result runs a body and gives what it returned */
export function describePortableProfile(result: (code: string) => Promise<unknown>): void {
  describe("the portable profile", () => {
    it.each([
      ["timers in order", "const o = []; setTimeout(() => o.push(2), 5); setTimeout(() => o.push(1), 1); queueMicrotask(() => o.push(0)); await new Promise((r) => setTimeout(r, 15)); return o", [0, 1, 2]], // prettier-ignore
      ["cleared timers", "let n = 0; const t = setTimeout(() => n++, 1); clearTimeout(t); await new Promise((r) => setTimeout(r, 5)); return n", 0], // prettier-ignore
      ["intervals", "let n = 0; await new Promise((r) => { const t = setInterval(() => { if (++n === 3) { clearInterval(t); r(); } }, 1); }); return n", 3], // prettier-ignore
      ["URL", "const u = new URL('/a?b=1#c', 'https://user@x.example:8443/z'); u.searchParams.append('q', 'ü &'); u.pathname = '/p q'; return [u.href, u.host, u.searchParams.get('q')]", ["https://user@x.example:8443/p%20q?b=1&q=%C3%BC+%26#c", "x.example:8443", "ü &"]], // prettier-ignore
      ["URL errors", "try { new URL('nope') } catch (e) { return e.name }", "TypeError"],
      ["URLSearchParams", "const p = new URLSearchParams({ a: '1', b: 'x y' }); p.append('a', '2'); p.delete('b'); return [p.toString(), [...p], p.has('a', '2'), p.size]", ["a=1&a=2", [["a", "1"], ["a", "2"]], true, 2]], // prettier-ignore
      ["TextEncoder and TextDecoder", "const b = new TextEncoder().encode('é🎉\\0'); return [[...b], new TextDecoder().decode(b), new TextDecoder('latin1').decode(new Uint8Array([233]))]", [[195, 169, 240, 159, 142, 137, 0], "é🎉\0", "é"]], // prettier-ignore
      ["atob and btoa", "return [btoa('hello'), atob('aGVsbG8='), atob(' aGk ')]", ["aGVsbG8=", "hello", "hi"]],
      ["atob errors", "try { atob('a') } catch (e) { return e.name }", "InvalidCharacterError"],
      ["structuredClone", "const a = { d: new Date(5), m: new Map([[1, { x: 1 }]]), n: [1] }; a.self = a; const c = structuredClone(a); return [c !== a, c.self === c, c.d.getTime(), c.m.get(1).x, c.n]", [true, true, 5, 1, [1]]], // prettier-ignore
      ["structuredClone errors", "try { structuredClone(() => 1) } catch (e) { return e.name }", "DataCloneError"],
      ["randomUUID", "return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())", true], // prettier-ignore
      ["ES2023", "class A { #p = 1; static { A.s = 2 } p() { return #p in this } } return [[3, 1].toSorted(), [1, 2].findLast((x) => x < 2), new A().p(), A.s, Object.groupBy ? 1 : 0, 2n ** 64n > 1, 'a-b'.replaceAll('-', '+'), /(?<y>\\d+)/.exec('x12').groups.y, structuredClone.name]", [[1, 3], 1, true, 2, 1, true, "a+b", "12", "structuredClone"]], // prettier-ignore
      ["JSON as everywhere", "return [JSON.stringify({ f() {}, m: new Map([[1, 2]]), p: Promise.resolve(), s: new Set() }), JSON.stringify(new Error('x')), typeof Map.prototype.toJSON]", ['{"m":{},"p":{},"s":{}}', "{}", "undefined"]], // prettier-ignore
      ["errors in a result", "return [new RangeError('far'), Object.assign(new Error('x'), { map: new Map() })]", [{ name: "RangeError", message: "far" }, { name: "Error", message: "x" }]], // prettier-ignore
      ["strict mode", "try { undeclared = 1 } catch (e) { return e.name }", "ReferenceError"],
      ["UTC", "return new Date(2026, 0, 1).toISOString()", "2026-01-01T00:00:00.000Z"],
    ])("has %s", async (_, code, expected) => {
      expect(await result(code)).toEqual(expected);
    });
  });
}
