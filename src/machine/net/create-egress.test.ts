import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { createEgress } from "./create-egress.ts";
import { makeCertificate } from "./fixtures/certificate.ts";
import { createWeb, echo, fetchOnce, OPEN, textOf, type Web } from "./fixtures/web.ts";

let web: Web;
beforeEach(() => {
  web = createWeb();
});
afterEach(() => web.close());

const at = (port: number, path = "/") => `http://127.0.0.1:${port}${path}`;
const hosts = (...ports: number[]) => ({ allowedHosts: ports.map((port) => `*:${port}`) });

describe("egress", () => {
  it("fetches: method, headers and body there, status, headers and body back", async () => {
    const port = await web.serve((request, response) => {
      response.setHeader("Set-Cookie", ["a=1", "b=2"]);
      response.statusCode = 201;
      response.statusMessage = "Made";
      echo(request, response);
    });
    const body = Buffer.from('{"n":1}');
    const headers = [["Content-Type", "application/json"], ["X-One", "1"]] as const; // prettier-ignore
    const answer = await fetchOnce({ url: at(port, "/a?b=c#d"), method: "post", headers, body }, hosts(port));
    expect(answer).toMatchObject({ status: 201, statusText: "Made", url: at(port, "/a?b=c"), redirected: false });
    expect(answer.headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual(["a=1", "b=2"]);
    const seen = JSON.parse(textOf(answer)) as { headers: Record<string, string> };
    expect(seen).toMatchObject({ method: "POST", url: "/a?b=c", body: '{"n":1}' });
    expect(seen.headers).toMatchObject({
      host: `127.0.0.1:${port}`,
      "content-type": "application/json",
      "content-length": "7",
      "x-one": "1",
      connection: "close",
    });
  });

  it("carries a megabyte there and back", async () => {
    const port = await web.serve((request, response) => void request.pipe(response));
    const body = Buffer.alloc(1_000_000, "0123456789");
    const answer = await fetchOnce({ url: at(port), method: "PUT", body }, hosts(port));
    expect(Buffer.from(answer.body).equals(body)).toBe(true);
  });

  it("keeps nothing from one fetch to the next: neither cookies nor a connection", async () => {
    const seen: { cookie: string | undefined; socket: unknown }[] = [];
    const port = await web.serve((request, response) => {
      seen.push({ cookie: request.headers.cookie, socket: request.socket });
      response.setHeader("Set-Cookie", "id=ann").end();
    });
    const egress = createEgress({ ...OPEN, ...hosts(port) });
    const deadline = new Deadline(5_000);
    await egress.fetch({ url: at(port) }, ["*:" + port], deadline);
    await egress.fetch({ url: at(port) }, ["*:" + port], deadline);
    deadline.close();
    expect(seen.map(({ cookie }) => cookie)).toEqual([undefined, undefined]);
    expect(seen[0]?.socket).not.toBe(seen[1]?.socket);
  });

  it("speaks TLS with the name that was asked for, and with nobody who is not trusted", async () => {
    const certificate = makeCertificate(["secure.test"]);
    const port = await web.serve(echo, certificate);
    const lookup = async () => [{ address: "127.0.0.1", family: 4 }];
    const url = (host: string) => ({ url: `https://${host}:${port}/` });
    const trusting = { ...hosts(port), lookup, trusted: [certificate.cert] };
    const answer = await fetchOnce(url("secure.test"), trusting);
    expect(JSON.parse(textOf(answer))).toMatchObject({ headers: { host: `secure.test:${port}` } });
    expect((await fetchOnce(url("secure.test."), trusting)).status).toBe(200);
    await expect(fetchOnce(url("other.test"), trusting)).rejects.toMatchObject({
      code: "FETCH_FAILED",
      data: { cause: "ERR_TLS_CERT_ALTNAME_INVALID" },
    });
    await expect(fetchOnce(url("secure.test"), { ...hosts(port), lookup })).rejects.toMatchObject({
      code: "FETCH_FAILED",
      data: { cause: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    });
  });

  it("tries the next allowed address of a name", async () => {
    const port = await web.serve(echo);
    const lookup = async () => ["127.0.0.9", "10.0.0.1", "127.0.0.1"].map((address) => ({ address, family: 4 }));
    expect((await fetchOnce({ url: `http://two.test:${port}` }, { ...hosts(port), lookup })).status).toBe(200);
  });

  describe("redirects", () => {
    const redirecting = (status: number, location: (port: number) => string, seen: string[] = []) =>
      new Promise<number>((resolve, reject) => {
        let port = 0;
        web
          .serve((request, response) => {
            seen.push(`${request.method} ${request.url}`);
            if (request.url !== "/from") return echo(request, response);
            response.writeHead(status, { Location: location(port) }).end("moved");
          })
          .then((at) => resolve((port = at)), reject);
      });

    it.each([
      [301, "POST", "GET", ""],
      [302, "POST", "GET", ""],
      [303, "PUT", "GET", ""],
      [303, "HEAD", "HEAD", ""],
      [301, "PUT", "PUT", "text"],
      [307, "POST", "POST", "text"],
      [308, "POST", "POST", "text"],
    ])("%i: %s goes on as %s", async (status, method, then, body) => {
      const seen: string[] = [];
      const port = await redirecting(status, () => "/to?x=1", seen);
      const isEmpty = method === "HEAD";
      const request = { url: at(port, "/from"), method, ...(isEmpty ? {} : { body: Buffer.from("text"), headers: [["Content-Type", "text/plain"]] as const }) }; // prettier-ignore
      const answer = await fetchOnce(request, hosts(port));
      expect(answer).toMatchObject({ status: 200, url: at(port, "/to?x=1"), redirected: true });
      expect(seen).toEqual([`${method} /from`, `${then} /to?x=1`]);
      if (!isEmpty) expect(JSON.parse(textOf(answer))).toMatchObject({ method: then, body });
      if (then === "GET") expect(textOf(answer)).not.toContain("content-type");
    });

    it("takes what lets somebody in to the same origin, and to no other", async () => {
      const other = await web.serve(echo);
      let location = "/to";
      const port = await redirecting(307, () => location);
      const headers = [["Authorization", "Bearer abc"], ["Cookie", "a=1"], ["X-Api-Key", "k"], ["X-Other", "o"]] as const; // prettier-ignore
      const sent = async () => {
        const answer = await fetchOnce({ url: at(port, "/from"), headers }, hosts(port, other));
        return (JSON.parse(textOf(answer)) as { headers: object }).headers;
      };
      expect(await sent()).toMatchObject({ authorization: "Bearer abc", cookie: "a=1", "x-api-key": "k", "x-other": "o" }); // prettier-ignore
      location = at(other, "/to");
      const elsewhere = await sent();
      expect(elsewhere).toMatchObject({ "x-other": "o" });
      expect(Object.keys(elsewhere)).not.toEqual(expect.arrayContaining(["authorization"]));
      expect(Object.keys(elsewhere).filter((name) => ["cookie", "x-api-key"].includes(name))).toEqual([]);
    });

    it("are counted: as many as allowed pass, one more does not", async () => {
      const port = await web.serve((request, response) => {
        const left = Number(request.url?.slice(1));
        if (left === 0) response.end("there");
        else response.writeHead(302, { Location: `/${left - 1}` }).end();
      });
      expect(textOf(await fetchOnce({ url: at(port, "/3") }, hosts(port)))).toBe("there");
      await expect(fetchOnce({ url: at(port, "/4") }, hosts(port))).rejects.toMatchObject({ code: "FETCH_FAILED" });
    });

    it("are an error, or the answer itself, when that is wanted", async () => {
      const port = await redirecting(302, () => "/to");
      const url = at(port, "/from");
      expect(await fetchOnce({ url, redirect: "manual" }, hosts(port))).toMatchObject({ status: 302, url });
      await expect(fetchOnce({ url, redirect: "error" }, hosts(port))).rejects.toMatchObject({ code: "FETCH_FAILED" });
    });

    it.each(["http://[", "//", "http://user:pw@127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "data:,x"])(
      "to %s are not followed",
      async (location) => {
        const port = await redirecting(302, () => location);
        const error = await fetchOnce({ url: at(port, "/from") }, hosts(port)).catch((thrown: unknown) => thrown);
        expect(["FETCH_FAILED", "FETCH_REFUSED"]).toContain((error as { code: string }).code);
      },
    );

    it("do not leave https", async () => {
      const certificate = makeCertificate(["secure.test"]);
      const plain = await web.serve(echo);
      const port = await web.serve((_, response) => void response.writeHead(302, { Location: at(plain) }).end(), certificate); // prettier-ignore
      const lookup = async () => [{ address: "127.0.0.1", family: 4 }];
      const given = { ...hosts(port, plain), lookup, trusted: [certificate.cert] };
      await expect(fetchOnce({ url: `https://secure.test:${port}` }, given)).rejects.toMatchObject({
        code: "FETCH_REFUSED",
        data: { reason: "redirect" },
      });
    });
  });

  describe("packed answers", () => {
    const packed = (coding: string, body: Uint8Array) =>
      web.serve((_, response) => void response.writeHead(200, { "Content-Encoding": coding }).end(body));

    it.each(["gzip", "x-gzip", "deflate", "deflate, bare", "br"])("are unpacked: %s", async (kind) => {
      const zlib = await import("node:zlib");
      const pack = { gzip: zlib.gzipSync, "x-gzip": zlib.gzipSync, deflate: zlib.deflateSync, "deflate, bare": zlib.deflateRawSync, br: zlib.brotliCompressSync }[kind]; // prettier-ignore
      const port = await packed(kind.replace(/,.*/, ""), pack?.("hello ".repeat(100)) ?? Buffer.of());
      expect(textOf(await fetchOnce({ url: at(port) }, hosts(port)))).toBe("hello ".repeat(100));
    });

    it("are handed on as they are when the coding is unknown, and refused when they are broken or packed twice", async () => {
      const unknown = await packed("mine", Buffer.from("abc"));
      expect(textOf(await fetchOnce({ url: at(unknown) }, hosts(unknown)))).toBe("abc");
      const broken = await packed("gzip", Buffer.from("no gzip at all"));
      const twice = await packed("gzip, gzip", gzipSync(gzipSync("x")));
      for (const port of [broken, twice]) {
        await expect(fetchOnce({ url: at(port) }, hosts(port))).rejects.toMatchObject({ code: "FETCH_FAILED" });
      }
    });

    it("end at the limit, whatever they would unpack to", async () => {
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
      expect(bomb.byteLength).toBeLessThan(100_000);
      const port = await packed("gzip", bomb);
      const before = process.memoryUsage().arrayBuffers;
      await expect(fetchOnce({ url: at(port) }, hosts(port))).rejects.toMatchObject({ code: "TOO_LARGE" });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
      // Without the limit it does unpack.
      const roomy = { ...hosts(port), maxResponseBytes: 100 * 1024 * 1024 };
      expect((await fetchOnce({ url: at(port) }, roomy)).body.byteLength).toBe(64 * 1024 * 1024);
    });

    it("have nothing to unpack after HEAD, whatever they tell of it", async () => {
      const headers = { "Content-Encoding": "gzip", "Content-Length": "1000000000000" };
      const port = await web.serve((_, response) => void response.writeHead(200, headers).end());
      const answer = await fetchOnce({ url: at(port), method: "HEAD" }, hosts(port));
      expect(answer.body.byteLength).toBe(0);
      expect(answer.headers).toContainEqual(["content-length", "1000000000000"]);
      await expect(fetchOnce({ url: at(port) }, hosts(port))).rejects.toMatchObject({ code: "TOO_LARGE" });
    });
  });
});
