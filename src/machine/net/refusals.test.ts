import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEgress } from "./create-egress.ts";
import type { EgressRequest } from "./egress.ts";
import { createWeb, echo, fetchOnce, OPEN, textOf, type Web } from "./fixtures/web.ts";

/*
 * Each attack is tried against a real server that would answer: with `allowedAddresses` open it succeeds, so that it is
 * the guard that stops it.
 */

let web: Web;
let port = 0;
let hits = 0;
beforeEach(async () => {
  web = createWeb();
  hits = 0;
  port = await web.serve((request, response) => {
    hits++;
    echo(request, response);
  });
});
afterEach(() => web.close());

const SHUT = { allowedAddresses: [] };
const anyHost = () => ({ allowedHosts: [`*:${port}`] });

describe("the server's own machine", () => {
  const spellings = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.0.0.1.",
    "%31%32%37.0.0.1", "\u2460\u2461\u2466.0.0.1", "127\u30020\u30020\u30021", "localhost", "LOCALHOST", "localhost.", "a.localhost",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]",
  ]; // prettier-ignore

  it.each(spellings)("is not reached as %s [fetch-no-private]", async (host) => {
    const request = { url: `http://${host}:${port}/` };
    await expect(fetchOnce(request, { ...anyHost(), ...SHUT })).rejects.toMatchObject({
      code: "FETCH_REFUSED",
      data: { reason: "address" },
    });
    expect(hits).toBe(0);
    expect((await fetchOnce(request, anyHost())).status).toBe(200);
  });

  it.each(["0.0.0.0", "0", "[::]", "[::1]", "169.254.169.254", "0xa9fea9fe", "[fd00:ec2::254]", "10.0.0.1", "192.168.1.1", "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "100.100.100.200", "255.255.255.255"])(
    "is not reached as %s, nor is what is beside it",
    async (host) => {
      await expect(fetchOnce({ url: `http://${host}:${port}/` }, { ...anyHost(), ...SHUT })).rejects.toMatchObject({
        code: "FETCH_REFUSED",
        data: { reason: "address" },
      });
    },
  ); // prettier-ignore

  it("is not reached by a name that leads there, and no address is told", async () => {
    for (const address of ["127.0.0.1", "::ffff:127.0.0.1", "::1", "10.11.12.13"]) {
      const lookup = async () => [{ address, family: address.includes(":") ? 6 : 4 }];
      const request = { url: `http://inner.test:${port}/` };
      const error: unknown = await fetchOnce(request, { ...anyHost(), ...SHUT, lookup }).catch((thrown: unknown) => thrown); // prettier-ignore
      expect(error).toMatchObject({ code: "FETCH_REFUSED" });
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(address);
    }
    const lookup = async () => [{ address: "127.0.0.1", family: 4 }];
    expect((await fetchOnce({ url: `http://inner.test:${port}/` }, { ...anyHost(), lookup })).status).toBe(200);
  });

  it("is not reached by a name that leads elsewhere first: it is asked once, and what was checked is connected to", async () => {
    const answers = ["127.0.0.2", "127.0.0.1"];
    let asked = 0;
    const rebinding = async () => [{ address: answers[asked++] ?? "127.0.0.1", family: 4 }];
    // 127.0.0.2 stands for a public address; nobody listens there for us.
    const guarded = { ...anyHost(), allowedAddresses: ["127.0.0.2"], lookup: rebinding };
    await expect(fetchOnce({ url: `http://rebind.test:${port}/` }, guarded)).rejects.toMatchObject({ code: "FETCH_FAILED" }); // prettier-ignore
    expect(asked).toBe(1);
    expect(hits).toBe(0);
    // Who asked a second time would be there.
    expect((await fetchOnce({ url: `http://rebind.test:${port}/` }, { ...anyHost(), lookup: rebinding })).status).toBe(200); // prettier-ignore
  });

  it("is not reached through the one bad address among good ones", async () => {
    const lookup = async () => ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
    const given = { ...anyHost(), allowedAddresses: ["127.0.0.2"], lookup };
    await expect(fetchOnce({ url: `http://mixed.test:${port}/` }, given)).rejects.toMatchObject({ code: "FETCH_FAILED" }); // prettier-ignore
    expect(hits).toBe(0);
  });

  it("is not reached by a redirect from a host that is allowed", async () => {
    const lookup = async (host: string) => [{ address: host === "good.test" ? "127.0.0.1" : "127.0.0.2", family: 4 }];
    const inner = [`http://127.0.0.2:${port}/`, `http://evil.test:${port}/`, `http://2130706434:${port}/`];
    for (const location of inner) {
      const from = await web.serve((_, response) => void response.writeHead(302, { Location: location }).end());
      const allowedHosts = [`*:${port}`, `*:${from}`];
      const request = { url: `http://good.test:${from}/` };
      const given = { allowedHosts, lookup, allowedAddresses: ["127.0.0.1"] };
      await expect(fetchOnce(request, given)).rejects.toMatchObject({ code: "FETCH_REFUSED" });
    }
    expect(hits).toBe(0);
    const from = await web.serve((_, response) => void response.writeHead(302, { Location: `http://127.0.0.1:${port}/` }).end()); // prettier-ignore
    const allowedHosts = [`*:${port}`, `*:${from}`];
    expect((await fetchOnce({ url: `http://good.test:${from}/` }, { allowedHosts, lookup })).redirected).toBe(true);
  });
});

describe("hosts", () => {
  const one = () => ({ url: `http://127.0.0.1:${port}/` });
  const mine = () => `127.0.0.1:${port}`;

  it("are reached when both the operator and the tool name them, and by default none is [fetch-deny-default]", async () => {
    expect((await fetchOnce(one(), { allowedHosts: [mine()], allowed: [mine()] })).status).toBe(200);
    for (const given of [
      { allowedHosts: [], allowed: [mine()] },
      { allowedHosts: [mine()], allowed: [] },
      { allowedHosts: ["other.test"], allowed: ["*"] },
      { allowedHosts: ["*"], allowed: [mine()] },
      { allowedHosts: [mine()], allowed: ["*"] },
    ]) {
      await expect(fetchOnce(one(), given)).rejects.toMatchObject({ code: "FETCH_REFUSED", data: { reason: "host" } });
    }
    expect(hits).toBe(1);
  });

  it("are checked again at each redirect", async () => {
    const from = await web.serve((_, response) => void response.writeHead(302, { Location: one().url }).end());
    const request = { url: `http://127.0.0.1:${from}/` };
    const narrow = [`127.0.0.1:${from}`];
    for (const given of [{ allowedHosts: narrow }, { allowedHosts: ["127.0.0.1:" + port, ...narrow], allowed: narrow }])
      await expect(fetchOnce(request, given)).rejects.toMatchObject({ code: "FETCH_REFUSED", data: { reason: "host" } }); // prettier-ignore
    expect(hits).toBe(0);
    expect((await fetchOnce(request, { allowedHosts: [...narrow, mine()] })).status).toBe(200);
  });

  it("that cannot be read are told to the operator at once", () => {
    expect(() => createEgress({ ...OPEN, allowedHosts: ["https://a.test"] })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" })); // prettier-ignore
    expect(() => createEgress({ ...OPEN, allowedAddresses: ["10.0.0.0/99"] })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" })); // prettier-ignore
  });
});

describe("words of refusals", () => {
  it.each([
    ["a method", (text: string) => ({ method: text })],
    ["a header", (text: string) => ({ headers: [[text, "1"] as const] })],
    ["an address", (text: string) => ({ url: `http://[${text}` })],
  ])("hold what the code said in whole, as it said it, or not at all: %s", async (_, ask) => {
    const refusalOf = async (text: string) => String(await fetchOnce({ url: `http://127.0.0.1:${port}/`, ...ask(text) }, anyHost()).catch((error: unknown) => error)); // prettier-ignore
    expect(await refusalOf("No Such Thing")).toContain("No Such Thing");
    expect(await refusalOf("No Such Thing ".repeat(8))).not.toMatch(/no such/i);
  });
});

describe("requests that are more than they look", () => {
  const sent = (request: Partial<EgressRequest>) => fetchOnce({ url: `http://127.0.0.1:${port}/`, ...request }, anyHost()); // prettier-ignore

  it.each([
    ["a line end in a value", ["X-A", "1\r\nX-Injected: 1"]],
    ["a line feed in a value", ["X-A", "1\nX-Injected: 1"]],
    ["a NUL", ["X-A", "1\0"]],
    ["letters beyond Latin-1 that end in the byte of a line end", ["X-A", "a\u010d\u010ab"]],
    ["a line end in a name", ["X-A: 1\r\nX-B", "1"]],
    ["a space in a name", ["X A", "1"]],
    ["no name", ["", "1"]],
    ...["Host", "host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "TE", "Proxy-Authorization", "Proxy-Anything", "Keep-Alive", "Trailer"].map((name) => [`the header ${name}`, [name, "1"]] as const), // prettier-ignore
  ] as const)("are refused: %s", async (_, header) => {
    await expect(sent({ headers: [header] })).rejects.toMatchObject({ code: "FETCH_REFUSED", data: { reason: "header" } }); // prettier-ignore
    expect(hits).toBe(0);
  });

  it("are refused: more headers, or larger ones, than anybody needs", async () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => [`x-${n}`, "1"] as const);
    expect((await sent({ headers: many(100) })).status).toBe(200);
    await expect(sent({ headers: many(101) })).rejects.toMatchObject({ code: "FETCH_REFUSED" });
    await expect(sent({ headers: [["x", "y".repeat(33_000)]] })).rejects.toMatchObject({ code: "FETCH_REFUSED" });
  });

  it.each(["CONNECT", "TRACE", "track", "GET / HTTP/1.1\r\nX: 1\r\n\r\nGET", "", "A".repeat(101)])(
    "are refused: the method %j",
    async (method) => {
      await expect(sent({ method })).rejects.toMatchObject({ code: "FETCH_REFUSED", data: { reason: "method" } });
      expect(hits).toBe(0);
    },
  );

  it.each([
    ["file:///etc/passwd", "scheme"],
    ["ftp://127.0.0.1/", "scheme"],
    ["data:text/plain,x", "scheme"],
    ["javascript:1", "scheme"],
    ["unix:/var/run/docker.sock", "scheme"],
    ["http+unix://%2Fvar%2Frun%2Fdocker.sock/", "scheme"],
    ["http://user:password@127.0.0.1/", "credentials"],
    ["http://allowed.test@127.0.0.1/", "credentials"],
    ["http://", "url"],
    ["/relative", "url"],
    [`http://a.test/${"x".repeat(17_000)}`, "url"],
  ])("are refused: %.60s", async (url, reason) => {
    await expect(sent({ url })).rejects.toMatchObject({ code: "FETCH_REFUSED", data: { reason } });
  });

  it("keep a line end of their path inside it", async () => {
    const answer = await sent({ url: `http://127.0.0.1:${port}/a%0d%0aX-Injected:%201\r\n?q=\r\n b` });
    expect(JSON.parse(textOf(answer))).toMatchObject({ url: "/a%0d%0aX-Injected:%201?q=%20b" });
    expect(textOf(answer)).not.toContain("x-injected");
  });

  it("go to no proxy of the environment", async () => {
    let proxied = 0;
    const proxy = await web.serve((_, response) => {
      proxied++;
      response.end("proxy");
    });
    const run = (script: string) => {
      const at = `http://127.0.0.1:${proxy}`;
      const env = { PATH: process.env["PATH"] ?? "", NODE_USE_ENV_PROXY: "1", HTTP_PROXY: at, http_proxy: at, NO_PROXY: "", NODE_NO_WARNINGS: "1" }; // prettier-ignore
      const flags = ["--experimental-strip-types", "--input-type=module", "-e", script];
      return new Promise<string>((resolve) => {
        execFile(process.execPath, flags, { env }, (_, out) => resolve(out));
      });
    };
    const module = fileURLToPath(new URL("./fixtures/web.ts", import.meta.url));
    const ours = `const { fetchOnce, textOf } = await import(${JSON.stringify(module)}); console.log(textOf(await fetchOnce({ url: "http://127.0.0.1:${port}/" }, { allowedHosts: ["*:${port}"] })));`; // prettier-ignore
    expect(await run(ours)).toContain('"method":"GET"');
    expect(proxied).toBe(0);
    // Node's own client goes there, where it knows such proxies at all.
    const plain = await run(`(await import("node:http")).get("http://127.0.0.1:${port}/", (r) => r.pipe(process.stdout))`); // prettier-ignore
    if (Number(process.versions.node.split(".")[0]) >= 24) expect(plain).toContain("proxy");
  });
});
