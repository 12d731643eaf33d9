import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DynamicMcpError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { HostCalls } from "../core/source.ts";
import { type ExecutionEngine, type HostAccess, NO_ACCESS } from "./engine.ts";
import { done, failed, ROOMY, runBody, type RunOptions } from "./fixtures/run-body.ts";

const FETCH: HostAccess = { ...NO_ACCESS, fetch: true };
const SECRETS: HostAccess = { ...NO_ACCESS, readSecrets: true };

/** Sends a body back, as a server would that the host asked. */
const mirror: HostCalls = {
  async call(method, payload) {
    const { url = "", body = "", headers = [] } = payload as JsonObject;
    if (method !== "fetch") throw new DynamicMcpError("CAPABILITY_MISSING", "only fetch");
    if (url === "https://no.test/") throw new DynamicMcpError("FETCH_REFUSED", "not there", { data: { reason: "host" } }); // prettier-ignore
    return { status: 201, statusText: "Made", url, redirected: false, headers, body };
  },
};

/** What every engine gives code of the ways out, and what it looks like: the same program, the same result. */
export function describeHostAccess(name: string, open: () => Promise<ExecutionEngine>): void {
  describe(`host access: ${name}`, () => {
    let engine: ExecutionEngine;
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine.close());
    const result = async (code: string, options: RunOptions = {}): Promise<Json> =>
      JSON.parse(done(await runBody(engine, code, { host: mirror, ...options })).resultJson) as Json;

    it("is there for those who may, and for nobody else", async () => {
      const look = "return [typeof fetch, typeof secrets, typeof tools]";
      expect(await result(look)).toEqual(["undefined", "undefined", "undefined"]);
      expect(await result(look, { may: FETCH })).toEqual(["function", "undefined", "undefined"]);
      expect(await result(look, { may: SECRETS })).toEqual(["undefined", "object", "undefined"]);
    });

    it.each(["fetch('https://a.test')", "secrets.get('TOKEN')"])(
      "says what to do where it is not: %s",
      async (code) => {
        const { message } = failed(await runBody(engine, `return await ${code}`));
        expect(message).toMatch(/is not defined: .*operator/);
      },
    );

    it("fetches: text and JSON there, text and JSON back", async () => {
      const code = `
        const sent = { n: 1, text: "h\u00e9\u{1f980}" };
        const headers = new Headers({ "X-B": "2" });
        headers.set("x-a", "1");
        const response = await fetch("https://a.test/x?y=1", { method: "POST", headers, body: JSON.stringify(sent) });
        const copy = response.clone();
        return [response.status, response.statusText, response.ok, response.url, response instanceof Response,
          [...response.headers], await response.json(), await copy.text(), response.bodyUsed];`;
      const sent = { n: 1, text: "h\u00e9\u{1f980}" };
      expect(await result(code, { may: FETCH })).toEqual([
        201,
        "Made",
        true,
        "https://a.test/x?y=1",
        true,
        [
          ["content-type", "text/plain;charset=UTF-8"],
          ["x-a", "1"],
          ["x-b", "2"],
        ],
        sent,
        JSON.stringify(sent),
        true,
      ]);
    });

    it("fetches bytes as they are, and forms", async () => {
      const code = `
        const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
        const back = await (await fetch("https://a.test", { method: "PUT", body: bytes })).bytes();
        const form = await (await fetch(new URL("https://a.test"), { method: "POST", body: new URLSearchParams({ a: "b c" }) })).text();
        return [back.length, back.every((byte, n) => byte === n), form];`;
      expect(await result(code, { may: FETCH })).toEqual([256, true, "a=b+c"]);
    });

    it("carries a megabyte there and back in good time", async () => {
      const code = `
        const bytes = new Uint8Array(1_000_000).fill(7);
        const response = await fetch("https://a.test", { method: "PUT", body: bytes });
        const back = await response.bytes();
        return [back.length, back[0], back[999_999]];`;
      const startedAt = performance.now();
      expect(await result(code, { may: FETCH, limits: ROOMY })).toEqual([1_000_000, 7, 7]);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    });

    it("rejects with the code of a refusal, and with a TypeError for what is no request", async () => {
      const code = `
        const all = await Promise.allSettled([fetch("https://no.test/"), fetch("nonsense"), fetch("https://a.test", { method: "POST", body: {} })]);
        return all.map(({ reason: r }) => [r.name, r.code ?? null, r.data ?? null]);`;
      const seen = (await result(code, { may: FETCH })) as Json[][];
      expect(seen[0]).toEqual(["ToolError", "FETCH_REFUSED", { reason: "host" }]);
      expect(seen.slice(1).map(([errorName]) => errorName)).toEqual(["TypeError", "TypeError"]);
    });

    it("fails with the code of a refusal that nobody caught, when it is one of ours", async () => {
      const expected = { code: "CODE_THREW", errorName: "ToolError", message: "not there" };
      const refused = 'await fetch("https://no.test/")';
      const run = async (code: string) => failed(await runBody(engine, code, { host: mirror, may: FETCH }));
      expect(await run(refused)).toMatchObject({ ...expected, errorCode: "FETCH_REFUSED" });
      for (const change of ["e.code = 'toString'", "e.code = { a: 1 }", "delete e.code", "e.code = 'x'.repeat(1e6)"]) {
        const end = await run(`try { ${refused} } catch (e) { ${change}; throw e }`);
        expect(end).toMatchObject(expected);
        expect(end).not.toHaveProperty("errorCode");
      }
    });

    it("refuses a call that is larger than arguments may be, and the code goes on", async () => {
      const call = (chars: number) => `await tools.call("x", { a: "x".repeat(${chars}) }).then(() => "made", (e) => e.code)`; // prettier-ignore
      const host: HostCalls = { call: async () => null };
      const may = { ...NO_ACCESS, callTools: true };
      const code = `return [${call(65_000)}, ${call(66_000)}]`;
      expect(await result(code, { host, may, limits: { argsBytes: 100 } })).toEqual(["made", "TOO_LARGE"]);
    });

    it("reads secrets by name", async () => {
      const host: HostCalls = { call: async (method, payload, step) => `${method} ${JSON.stringify(payload)} ${step}` };
      expect(await result("return secrets.get('TOKEN')", { may: SECRETS, host })).toBe(
        'secrets.get {"name":"TOKEN"} 0',
      );
    });
  });
}
