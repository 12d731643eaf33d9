import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { ToolResult } from "../core/item.ts";
import { structured } from "../core/results.ts";
import { SILENT } from "../core/source.ts";
import { createEnvironmentSecrets } from "../credentials/environment-secrets.ts";
import { createSecrets } from "../credentials/create-secrets.ts";
import { compile } from "../engines/compile.ts";
import { createQuickjsEngine } from "../engines/quickjs/quickjs-engine.ts";
import { createEgress } from "../machine/net/create-egress.ts";
import { createWeb, echo, OPEN, type Web } from "../machine/net/fixtures/web.ts";
import { createTestServices } from "./fixtures/services.ts";
import { resultOf, runProgram } from "./run.ts";

/** From a real sandbox through the real ways out, to a real server. */

const engine = createQuickjsEngine();
afterAll(() => engine.close());
const VALUE = "s3cret+value/1";

let web: Web;
let port = 0;
beforeAll(() => engine.probe());
beforeEach(async () => {
  web = createWeb();
  port = await web.serve(echo);
});
afterEach(() => web.close());

interface Given {
  network?: string[];
  secrets?: string[];
  uses?: string[];
  deadline?: Deadline;
  callTool?: () => Promise<ToolResult>;
  value?: string;
  allowedAddresses?: string[];
}

async function run(code: string, given: Given = {}): Promise<ToolResult> {
  const { network = [], secrets = [], uses = [], deadline = new Deadline(10_000), allowedAddresses = OPEN.allowedAddresses, value = VALUE } = given; // prettier-ignore
  const { services } = createTestServices();
  const egress = createEgress({ ...OPEN, allowedHosts: [`*:${port}`], allowedAddresses });
  const sealed = { name: "store" as const, has: async () => false, get: async () => undefined, set: async () => {}, remove: async () => false, names: async () => [] }; // prettier-ignore
  const providers = [createEnvironmentSecrets({ TOKEN: value, PRIVATE: "not for tools" })];
  const world = {
    ...services,
    engines: { quickjs: engine },
    egress,
    secrets: createSecrets({ providers, sealed, allowed: ["TOKEN"], log: SILENT }),
  };
  const { program } = await compile({ code, language: "js", name: "mine" });
  const runnable = { name: "mine", program, engine: "quickjs" as const, timeoutMs: 5_000, network, secrets, uses };
  const callTool = given.callTool ?? (async () => structured("x", { n: 1 }));
  try {
    const end = await runProgram(world, runnable, { port }, { principal: "ann", deadline, callTool });
    return await resultOf(end, services, { name: "mine" });
  } finally {
    deadline.close();
    await egress.close();
  }
}

const HERE = () => [`127.0.0.1:${port}`];

describe("code in a sandbox", () => {
  it("uses a secret in a request, and what the server tells of it is hidden", async () => {
    const code = `
      const token = await secrets.get("TOKEN");
      const headers = { authorization: "Basic " + btoa("ann:" + token), "x-token": token };
      const response = await fetch(\`http://127.0.0.1:\${args.port}/?t=\${encodeURIComponent(token)}\`, { headers });
      const seen = await response.json();
      console.log("sent", token, seen);
      return { right: atob(seen.headers.authorization.slice(6)) === "ann:" + token, seen, [token]: [...token].join("") };`;
    const result = await run(code, { network: HERE(), secrets: ["TOKEN"] });
    expect(result.structuredContent).toMatchObject({ right: true, "***": "***", seen: { headers: { "x-token": "***" }, url: "/?t=***" } }); // prettier-ignore
    const whole = JSON.stringify(result);
    for (const form of [
      VALUE,
      encodeURIComponent(VALUE),
      btoa(VALUE).replace(/=*$/, "").slice(0, -1),
      btoa(`ann:${VALUE}`),
    ]) {
      // prettier-ignore
      expect(whole).not.toContain(form);
    }
  });

  it.each(["throw new Error(token)", "const e = new Error('x'); e.message = token; throw e", "throw token", "const e = new Error('x'); e.name = token; throw e", "return JSON.parse(token)"])(
    "does not tell a secret by failing: %s",
    async (code) => {
      const result = await run(`const token = await secrets.get("TOKEN"); ${code}`, { secrets: ["TOKEN"] });
      expect(result.isError).toBe(true);
      expect(JSON.stringify(result)).not.toContain(VALUE);
    },
  ); // prettier-ignore

  describe("tells nothing of a long secret", () => {
    /** Every piece of 12 characters is in it once. */
    const long = Array.from({ length: 11_003 / 7 }, (_, n) => `K${n.toString(36).padStart(3, "0")}zQx`).join("");
    const shows = (result: ToolResult) => {
      const whole = JSON.stringify(result);
      return Array.from({ length: long.length - 12 }, (_, at) => long.slice(at, at + 12)).filter((piece) => whole.includes(piece)); // prettier-ignore
    };

    it.each([
      ["by what it throws", "throw new Error(t)"],
      ["behind other words", "throw new Error('x'.repeat(3_985) + t)"],
      ["by the name of an error", "const e = new Error('x'); e.name = t; throw e"],
      ["by a value", "throw { t }"],
      ["by what it prints", "console.log(t); console.log('x'.repeat(99_980) + t)"],
      ["within what it prints", "console.log({ t, more: ['x'.repeat(9_985) + t, new Error(t)] })"],
      ["at the end of all output", "console.log('x'.repeat(9_900)); console.log(t)"],
      ["at the end of all output, split", "for (let i = 0; i < 20_000; i += 500) console.log(t.slice(i, i + 500))"],
      ["by an address that is none", "new URL('http://[' + t)"],
      ["by an address that is none, caught", "try { new URL('http://[' + t) } catch (e) { return e.message }"],
      ["by a method", "await fetch('http://x.test', { method: t.slice(0, 60) })"],
    ])("%s", async (_, code) => {
      const body = `const t = await secrets.get("TOKEN"); ${code}`;
      const given = { secrets: ["TOKEN"], network: ["x.test"], value: long };
      expect(shows(await run(body, given))).toEqual([]);
      // The same words show when they are no secret; of a long address or method nothing is said back in any case.
      const harmless = `await secrets.get("TOKEN"); const t = ${JSON.stringify(long)}; ${code}`;
      if (!/fetch|new URL/.test(code)) expect(shows(await run(harmless, { ...given, value: "another value" }))).not.toEqual([]); // prettier-ignore
    });

    it("nor of one that JSON escapes, in JSON in JSON", async () => {
      const q = 'pa"ss\\word';
      const code = `const q = await secrets.get("TOKEN"); return { x: JSON.stringify({ q }), y: JSON.stringify({ a: JSON.stringify({ q }) }) };`; // prettier-ignore
      const result = await run(code, { secrets: ["TOKEN"], value: q });
      expect(JSON.stringify(result)).not.toMatch(/ss.{1,20}word/);
      expect(result.structuredContent).toEqual({ x: '{"q":"***"}', y: '{"a":"{\\"q\\":\\"***\\"}"}' });
    });
  });

  it("gets no secret that it does not name, nor one that the operator does not allow", async () => {
    const read = (name: string) => `try { return await secrets.get("${name}") } catch (error) { return error.code }`;
    for (const [name, secrets] of [
      ["TOKEN", ["OTHER"]],
      ["PRIVATE", ["PRIVATE"]],
      ["NONE", ["NONE"]],
    ] as const) {
      // prettier-ignore
      expect((await run(read(name), { secrets: [...secrets] })).structuredContent).toEqual({ result: "SECRET_REFUSED" }); // prettier-ignore
    }
    expect((await run(read("TOKEN"))).structuredContent).not.toEqual({ result: VALUE });
  });

  it("reaches no address of this machine, whatever it is called, unless the operator opens it", async () => {
    const code = `
      const hosts = ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"];
      const all = await Promise.allSettled(hosts.map((host) => fetch(\`http://\${host}:\${args.port}/\`)));
      return all.map(({ status, reason }) => reason?.code ?? status);`;
    const network = [`*:${port}`];
    const refused = await run(code, { network, allowedAddresses: [] });
    expect(refused.structuredContent).toEqual({ result: Array.from({ length: 4 }, () => "FETCH_REFUSED") });
    const open = await run(code, { network });
    expect(open.structuredContent).toEqual({ result: Array.from({ length: 4 }, () => "fulfilled") });
  });

  it("calls tools, and hands them no secret", async () => {
    const code = `
      const token = await secrets.get("TOKEN");
      const told = await tools.call("other.tool", { token }).catch((error) => error.code);
      return [await tools.call("other_tool", {}), told, await tools.call("third", {}).catch((error) => error.code)];`;
    const result = await run(code, { secrets: ["TOKEN"], uses: ["other.*"] });
    expect(result.structuredContent).toEqual({ result: [{ n: 1 }, "SECRET_REFUSED", "FORBIDDEN"] });
    const failing = () => Promise.reject(new DynamicMcpError("RATE_LIMITED", "slower"));
    const code2 = "try { await tools.call('a') } catch (e) { return [e.code, e.message] }";
    expect((await run(code2, { uses: ["a"], callTool: failing })).structuredContent).toEqual({ result: ["RATE_LIMITED", "slower"] }); // prettier-ignore
  });

  it("leaves no request behind when it ends first", async () => {
    const { promise: closed, resolve: onClose } = Promise.withResolvers<void>();
    const { promise: arrived, resolve: onArrival } = Promise.withResolvers<void>();
    port = await web.serve((request, response) => {
      if (request.url === "/soon") return void arrived.then(() => response.end());
      request.socket.on("close", () => onClose());
      onArrival();
    });
    const code = `
      void fetch(\`http://127.0.0.1:\${args.port}/never\`).catch(() => {});
      await fetch(\`http://127.0.0.1:\${args.port}/soon\`);
      return 1;`;
    expect((await run(code, { network: HERE() })).structuredContent).toEqual({ result: 1 });
    await closed;
  });
});
