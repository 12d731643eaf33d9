import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { makeCertificate } from "./fixtures/certificate.ts";
import { createWeb } from "./fixtures/web.ts";
import { type HttpHeaders, type HttpPool, type HttpPoolOptions, openHttpPool } from "./http-pool.ts";

const web = createWeb();
const pools: HttpPool[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  await web.close();
});

async function open(url: string, given: Partial<HttpPoolOptions> = {}): Promise<HttpPool> {
  const pool = await openHttpPool({ url: new URL(url), connectTimeoutMs: 1_000, maxBodyBytes: 1_000, ...given });
  pools.push(pool);
  return pool;
}

function get(pool: HttpPool, path = "/", headers: string[] = []) {
  return new Promise<{ status: number; headers: HttpHeaders; body: string }>((resolve, reject) => {
    let head = { status: 0, headers: {} as HttpHeaders };
    pool.send(
      { method: "GET", path, headers },
      {
        onHead: (status, given) => ((head = { status, headers: given }), "whole"),
        onWhole: (body) => resolve({ ...head, body: body.toString("utf8") }),
        onChunk() {},
        onEnd() {},
        onError: reject,
      },
    );
  });
}

describe("a pool", () => {
  it("keeps its connections", async () => {
    const ports = new Set<number | undefined>();
    const port = await web.serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end("hello");
    });
    const pool = await open(`http://127.0.0.1:${port}`);
    for (let n = 0; n < 5; n++) expect(await get(pool)).toMatchObject({ status: 200, body: "hello" });
    // Two: the next request may come a moment before a connection counts as free.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  it("reads as much as the limit and no more", async () => {
    const port = await web.serve((request, response) => {
      const body = "x".repeat(Number(request.url?.slice(1)));
      if (request.headers["x-announced"]) response.setHeader("content-length", body.length);
      response.write(body.slice(0, 10));
      response.end(body.slice(10));
    });
    const pool = await open(`http://127.0.0.1:${port}`);
    for (const headers of [[], ["x-announced", "1"]]) {
      expect(await get(pool, "/1000", headers)).toHaveProperty("body.length", 1_000);
      await expect(get(pool, "/1001", headers)).rejects.toMatchObject({ code: "TOO_LARGE" });
    }
  });

  it("closes the connection of what is aborted", async () => {
    let hasClosed = false;
    const port = await web.serve((_, response) => {
      response.on("close", () => (hasClosed = true));
      response.write("a");
    });
    const pool = await open(`http://127.0.0.1:${port}`);
    const heard: string[] = [];
    await new Promise<void>((resolve) => {
      const exchange = pool.send(
        { method: "GET", path: "/", headers: [] },
        {
          onHead: () => "chunks",
          onChunk() {
            exchange.abort();
            resolve();
          },
          onWhole: () => heard.push("whole"),
          onEnd: () => heard.push("end"),
          onError: () => heard.push("error"),
        },
      );
    });
    await expect.poll(() => hasClosed).toBe(true);
    expect(heard).toEqual([]);
  });

  it("refuses what it cannot send, without saying it", async () => {
    const port = await web.serve((_, response) => response.end());
    const pool = await open(`http://127.0.0.1:${port}`);
    const error = await get(pool, "/", ["x-key", "secret\nx"]).catch((each: unknown) => each);
    expect(error).toMatchObject({ code: "UPSTREAM_INVALID" });
    expect(String(error)).not.toContain("secret");
  });

  it("is only for http and https", async () => {
    await expect(open("ftp://127.0.0.1/")).rejects.toMatchObject({ code: "UPSTREAM_INVALID" });
  });
});

describe("a server that cannot be reached", () => {
  it("is told by its cause", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    await expect(get(await open(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      data: { cause: "ECONNREFUSED" },
    });
  });

  it("because it does not speak HTTP is invalid", async () => {
    const port = await web.serveRaw((socket) => socket.end("SSH-2.0-x\r\n"));
    await expect(get(await open(`http://127.0.0.1:${port}`))).rejects.toMatchObject({ code: "UPSTREAM_INVALID" });
  });

  it("because its certificate is not trusted is told so", async () => {
    const port = await web.serve((_, response) => response.end(), makeCertificate(["localhost"]));
    await expect(get(await open(`https://127.0.0.1:${port}`))).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      data: { cause: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    });
  });

  it("because it speaks no TLS is told so", async () => {
    const port = await web.serve((_, response) => response.end());
    await expect(get(await open(`https://127.0.0.1:${port}`))).rejects.toMatchObject({
      data: { cause: "ERR_SSL_WRONG_VERSION_NUMBER" },
    });
  });
});

describe("a proxy", () => {
  it("is used for names it is set for, and never for this machine", async () => {
    const asked: (string | undefined)[] = [];
    const proxy = await web.serve((request, response) => {
      asked.push(request.url);
      response.end("by proxy");
    });
    const http = `http://127.0.0.1:${proxy}`;
    const port = await web.serve((_, response) => response.end("direct"));
    expect(await get(await open(`http://127.0.0.1:${port}`, { proxies: { http } }))).toMatchObject({ body: "direct" });
    expect(await get(await open("http://mcp.invalid", { proxies: { http } }), "/a?b")).toMatchObject({
      body: "by proxy",
    });
    const excepted = await open("http://mcp.invalid", { proxies: { http, except: "mcp.invalid" } });
    await expect(get(excepted)).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    expect(asked).toEqual(["http://mcp.invalid/a?b"]);
  });
});
