import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { createEgress } from "./create-egress.ts";
import { createWeb, echo, fetchOnce, OPEN, type Web } from "./fixtures/web.ts";

let web: Web;
beforeEach(() => {
  web = createWeb();
});
afterEach(() => web.close());

const at = (port: number) => `http://127.0.0.1:${port}/`;
const hosts = (...ports: number[]) => ({ allowedHosts: ports.map((port) => `*:${port}`) });

describe("what a fetch may take", () => {
  it.each([
    ["with a length", false, false],
    ["in pieces", true, false],
    ["packed", false, true],
  ])("in an answer %s: the limit passes, one byte more does not", async (_, isChunked, isPacked) => {
    const serve = (bytes: number) =>
      web.serve((_request, response) => {
        const body = isPacked ? gzipSync(Buffer.alloc(bytes, "ab")) : Buffer.alloc(bytes);
        if (isPacked) response.setHeader("Content-Encoding", "gzip");
        if (isChunked) response.write(body.subarray(0, 10));
        response.end(isChunked ? body.subarray(10) : body);
      });
    const fits = await serve(10_000);
    const given = { ...hosts(fits), maxResponseBytes: 10_000 };
    expect((await fetchOnce({ url: at(fits) }, given)).body.byteLength).toBe(10_000);
    const tooMuch = await serve(10_001);
    await expect(fetchOnce({ url: at(tooMuch) }, { ...given, ...hosts(tooMuch) })).rejects.toMatchObject({
      code: "TOO_LARGE",
      data: { maxBytes: 10_000 },
    });
  });

  it("in a request: the limit passes, one byte more does not [fetch-bounded]", async () => {
    const port = await web.serve(echo);
    const given = { ...hosts(port), maxRequestBytes: 100 };
    const put = (bytes: number) => fetchOnce({ url: at(port), method: "PUT", body: Buffer.alloc(bytes) }, given);
    expect((await put(100)).status).toBe(200);
    await expect(put(101)).rejects.toMatchObject({ code: "TOO_LARGE" });
  });

  it("in heads: a few kilobytes pass, an endless head does not", async () => {
    const serve = (bytes: number) =>
      web.serveRaw((socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(bytes)}\r\n\r\n`));
    const small = await serve(32_000);
    expect((await fetchOnce({ url: at(small) }, hosts(small))).status).toBe(200);
    const large = await serve(70_000);
    await expect(fetchOnce({ url: at(large) }, hosts(large))).rejects.toMatchObject({
      code: "FETCH_FAILED",
      data: { cause: "HPE_HEADER_OVERFLOW" },
    });
  });

  it("in all answers at once: what fits together passes, what is more is told to come back", async () => {
    const { promise: bothWait, resolve: letGo } = Promise.withResolvers<void>();
    let waiting = 0;
    const port = await web.serve((request, response) => {
      response.write(Buffer.alloc(60_000));
      if (request.url === "/third") return response.end();
      if (++waiting === 2) letGo();
      response.on("close", () => waiting--);
    });
    // Two answers of 60,000 bytes are held; a third does not fit beside them.
    const egress = createEgress({ ...OPEN, ...hosts(port), maxResponseBytes: 75_000 }, { heldBytes: 150_000 });
    const deadline = new Deadline(10_000);
    const get = (path: string) => egress.fetch({ url: at(port) + path }, [`*:${port}`], deadline);
    const held = Promise.allSettled([get("first"), get("second")]);
    await bothWait;
    await expect.poll(() => get("third").catch((error: { code: string }) => error.code)).toBe("OVERLOADED");
    await egress.close();
    expect((await held).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    deadline.close();
    expect((await fetchOnce({ url: `${at(port)}third` }, hosts(port))).body.byteLength).toBe(60_000);
  });

  it("in an answer that says it is endless", async () => {
    const port = await web.serveRaw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const pour = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
      };
      socket.on("drain", pour);
      pour();
    });
    await expect(fetchOnce({ url: at(port) }, hosts(port))).rejects.toMatchObject({ code: "TOO_LARGE" });
  });
});

describe("how long a fetch may take", () => {
  /** A byte now and then, for ever: never idle, never done. */
  const drip = (head: string) =>
    web.serveRaw((socket) => {
      socket.write(head);
      const timer = setInterval(() => socket.write("x"), 20);
      socket.on("close", () => clearInterval(timer));
    });

  it.each([
    ["the body", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"],
    ["the head", "HTTP/1.1 200 OK\r\nX-Slow: "],
  ])("ends one whose server drips %s", async (_, head) => {
    const port = await drip(head);
    const startedAt = performance.now();
    await expect(fetchOnce({ url: at(port) }, { ...hosts(port), timeoutMs: 200 })).rejects.toMatchObject({
      code: "FETCH_FAILED",
      data: { timeoutMs: 200 },
    });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it("ends one whose server says nothing", async () => {
    const port = await web.serveRaw(() => {});
    await expect(fetchOnce({ url: at(port) }, { ...hosts(port), idleMs: 100 })).rejects.toMatchObject({
      code: "FETCH_FAILED",
      data: { idleMs: 100 },
    });
  });

  it("ends one whose name never resolves", async () => {
    const lookup = () => new Promise<never>(() => {});
    await expect(fetchOnce({ url: "http://slow.test" }, { lookup, timeoutMs: 100 })).rejects.toMatchObject({
      code: "FETCH_FAILED",
    });
  });

  it.each([
    ["client", "CANCELLED"],
    ["shutdown", "SHUTTING_DOWN"],
  ] as const)("ends with its call: %s", async (reason, code) => {
    const { promise: connected, resolve: onConnect } = Promise.withResolvers<void>();
    const { promise: closed, resolve: onClose } = Promise.withResolvers<void>();
    const port = await web.serveRaw((socket) => {
      socket.resume().on("close", () => onClose());
      onConnect();
    });
    const deadline = new Deadline(10_000);
    const fetching = fetchOnce({ url: at(port) }, { ...hosts(port), deadline });
    await connected;
    deadline.end(reason);
    await expect(fetching).rejects.toMatchObject({ code });
    await closed;
  });

  it("does not begin after its call has ended", async () => {
    const deadline = new Deadline(10_000);
    deadline.end("client");
    await expect(fetchOnce({ url: "http://a.test" }, { deadline })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("ends what runs when it is closed, and begins nothing after", async () => {
    const port = await web.serveRaw(() => {});
    const egress = createEgress({ ...OPEN, ...hosts(port) });
    const deadline = new Deadline(10_000);
    const fetching = egress.fetch({ url: at(port) }, [`*:${port}`], deadline);
    await egress.close();
    await expect(fetching).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await expect(egress.fetch({ url: at(port) }, ["*"], deadline)).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await egress.close();
    deadline.close();
  });

  it.each([
    ["nothing", ""],
    ["half an answer", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
    ["something that is not HTTP", "SSH-2.0-OpenSSH_9\r\n"],
    ["another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
  ])("fails when the other side says %s and hangs up", async (_, text) => {
    const port = await web.serveRaw((socket) => socket.end(text));
    await expect(fetchOnce({ url: at(port) }, hosts(port))).rejects.toMatchObject({ code: "FETCH_FAILED" });
  });

  it("fails when nobody listens, and says no address", async () => {
    const port = await web.serve(echo);
    await web.close();
    await expect(fetchOnce({ url: at(port) }, hosts(port))).rejects.toMatchObject({
      code: "FETCH_FAILED",
      data: { cause: "ECONNREFUSED" },
    });
  });
});
