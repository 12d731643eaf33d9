import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import pack from "../interop/pack.ts";
import { modernRequest, openSession, openStream, send } from "../support/http.ts";
import { openWorld, type World } from "../support/open-world.ts";

let world: World;
let url: string;
let port: number;
beforeAll(async () => {
  world = await openWorld(pack, { maxBodyBytes: 100_000, allowedOrigins: ["https://app.example.com"], orphanMs: 50 });
  ({ url, port } = await world.listen());
});
afterAll(() => world.close());

describe("the HTTP front", () => {
  const list = modernRequest("tools/list");

  it.each([
    ["another Host", { host: "evil.example.com" }],
    ["a Host that only begins like ours", { host: "localhost.evil.example.com" }],
    ["a Host with a user", { host: "user@localhost" }],
    ["another Origin", { origin: "https://evil.example.com" }],
    ["an opaque Origin", { origin: "null" }],
    ["an Origin that only begins like an allowed one", { origin: "https://app.example.com.evil.org" }],
  ])("keeps out %s", async (_what, headers) => {
    const answered = await send(url, { ...list, headers: { ...list.headers, ...headers } });
    expect(answered).toMatchObject({ status: 403, body: { error: { code: -32600 } } });
  });

  it.each([
    {},
    { host: "localhost" },
    { origin: "http://localhost:3000" },
    { host: "[::1]:80", origin: "https://app.example.com" },
  ])("lets in %j", async (headers) => {
    expect((await send(url, { ...list, headers: { ...list.headers, ...headers } })).status).toBe(200);
  });

  it.each([
    ["no JSON", "{", 400, -32700],
    ["no object", "5", 400, -32600],
    ["no jsonrpc", '{"id":1,"method":"ping"}', 400, -32600],
    ["an id that is an object", '{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600],
    ["a method that is a number", '{"jsonrpc":"2.0","id":1,"method":5}', 400, -32600],
    ["params that are a list", '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400, -32600],
    ["nothing", "", 400, -32700],
  ])("answers a body with %s", async (_what, body, status, code) => {
    expect(await send(url, { body })).toMatchObject({ status, body: { jsonrpc: "2.0", error: { code } } });
  });

  it("wants JSON, and to be allowed to answer", async () => {
    expect((await send(url, { ...list, headers: { ...list.headers, "content-type": "text/plain" } })).status).toBe(415);
    expect((await send(url, { ...list, headers: { ...list.headers, accept: "image/png" } })).status).toBe(406);
  });

  it.each(["gzip", "br", "identity, gzip"])("takes no body in Content-Encoding %s", async (encoding) => {
    const headers = { ...list.headers, "content-encoding": encoding };
    expect(await send(url, { ...list, headers })).toMatchObject({ status: 415, body: { error: { code: -32600 } } });
    expect((await send(url, { ...list, headers: { ...headers, "content-encoding": "Identity" } })).status).toBe(200);
  });

  it.each(["", " ", ":80"])("keeps out the Host %j, as it comes over the wire", async (host) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
    socket.write(
      `POST /mcp HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    );
    await vi.waitFor(() => expect(received).toMatch(/^HTTP\/1.1 40[03] /));
    socket.destroy();
  });

  it("answers a client that only takes events with events", async () => {
    const answered = await send(url, { ...list, headers: { ...list.headers, accept: "text/event-stream" } });
    expect(answered.headers["content-type"]).toBe("text/event-stream");
    expect(answered.events).toHaveLength(1);
  });

  it("takes the largest body that is allowed, not one byte more, and stays usable [server-body-limit]", async () => {
    const { ask, headers } = await openSession(url);
    const body = (bytes: number) => {
      const request = {
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "echo", arguments: { text: "" } },
      };
      request.params.arguments.text = "x".repeat(bytes - JSON.stringify(request).length);
      return JSON.stringify(request);
    };
    expect((await send(url, { headers, body: body(100_000) })).status).toBe(200);
    const tooLarge = await send(url, { headers, body: body(100_001) });
    expect(tooLarge).toMatchObject({
      status: 413,
      body: { error: { data: { code: "TOO_LARGE", maxBytes: 100_000 } } },
    });
    expect((await ask("ping")).status).toBe(200);
  });

  it("says so to a client that is still sending a body of 20 MB", async () => {
    const { headers } = await openSession(url);
    for (let round = 0; round < 5; round++) {
      expect((await send(url, { headers, body: "x".repeat(20_000_000) })).status).toBe(413);
    }
  });

  it("says so to clients that use fetch, whatever else they still have to send", async () => {
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const statusOf = async (bytes: number, more: object = {}) =>
      (await fetch(url, { method: "POST", headers: { ...headers, ...more }, body: "x".repeat(bytes) })).status;
    for (const bytes of [5_000_000, 20_000_000, 5_000_000, 20_000_000]) expect(await statusOf(bytes)).toBe(413);
    expect(await statusOf(5_000_000, { "content-type": "text/plain" })).toBe(415);
  });

  it("stops a body that says nothing of its length as soon as it is too long", async () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    let received = "";
    socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
    socket.write(
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    for (let sent = 0; sent < 20; sent++) socket.write(`2710\r\n${"x".repeat(10_000)}\r\n`);
    await vi.waitFor(() => expect(received).toMatch(/^HTTP\/1.1 413 /));
    socket.destroy();
  });

  it("says that it lives, and whether it is ready", async () => {
    const base = url.replace("/mcp", "");
    expect((await send(`${base}/livez`, { method: "GET" })).status).toBe(200);
    expect((await send(`${base}/readyz`, { method: "GET" })).status).toBe(200);
    expect((await send(`${base}/other`, { method: "GET" })).status).toBe(404);
  });

  it("knows no other methods", async () => {
    for (const method of ["PUT", "OPTIONS", "PATCH"]) {
      const answered = await send(url, { method });
      expect([answered.status, answered.headers["allow"]]).toEqual([405, "GET, POST, DELETE"]);
    }
  });

  it("keeps a harmless request id, and makes its own for any other", async () => {
    const idOf = async (id: string) =>
      (await send(url, { ...list, headers: { ...list.headers, "x-request-id": id } })).headers["x-request-id"];
    expect(await idOf("trace-1")).toBe("trace-1");
    expect(await idOf("a b<script>")).not.toContain("script");
  });

  it("survives `__proto__` wherever it is put", async () => {
    const { post } = await openSession(url);
    const evil = '{"jsonrpc":"2.0","id":1,"method":"tools/call","__proto__":{"x":1},"params":{"name":"echo","__proto__":{"y":1},"arguments":{"text":"a","__proto__":{"z":1}}}}'; // prettier-ignore
    expect((await post(evil)).status).toBe(200);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it("ends a run of the older era when its connection is lost and stays lost", async () => {
    const session = await openSession(url);
    const call = { jsonrpc: "2.0", id: "w", method: "tools/call", params: { name: "wait" } };
    const headers = { ...session.headers, "content-type": "application/json", accept: "application/json" };
    const stream = openStream(url, { method: "POST", headers, body: call });
    const waiting = async () => (await session.ask("tools/call", { name: "waiting" })).body["result"];
    await vi.waitFor(async () => expect(await waiting()).toMatchObject({ structuredContent: { waiting: 1 } }));
    stream.close();
    await vi.waitFor(async () => expect(await waiting()).toMatchObject({ structuredContent: { waiting: 0 } }));
  });

  it("gives a stream of notices to the newest that asks", async () => {
    const session = await openSession(url);
    const first = session.stream();
    await vi.waitFor(() => expect(first.status()).toBe(200));
    const second = session.stream();
    await vi.waitFor(() => expect([first.isClosed(), second.status()]).toEqual([true, 200]));
    await session.ask("tools/call", { name: "test_trigger_tool_change" });
    await vi.waitFor(() =>
      expect(second.events).toEqual([{ jsonrpc: "2.0", method: "notifications/tools/list_changed" }]),
    );
    second.close();
  });
});

describe("the end of the HTTP front", () => {
  let other: World | undefined;
  afterEach(() => other?.close());

  it("lets a run finish, refuses new ones, and frees the port", async () => {
    other = await openWorld(pack);
    const listener = await other.listen();
    const running = send(listener.url, modernRequest("tools/call", { name: "test_tool_with_progress", arguments: {} }));
    await vi.waitFor(() => expect(other?.server.counters().requests).toBe(1));
    await listener.close(5_000);
    expect((await running).body["result"]).toMatchObject({ content: [{ text: "done" }] });
    const again = await openWorld(pack, { port: listener.port });
    await again.listen();
    await again.close();
  });

  it("ends what does not finish in the grace time, and says why", async () => {
    other = await openWorld(pack);
    const listener = await other.listen();
    const running = send(listener.url, modernRequest("tools/call", { name: "wait", arguments: {} }));
    await vi.waitFor(() => expect(other?.server.counters().requests).toBe(1));
    await listener.close(50);
    expect(JSON.stringify((await running).body)).toContain("SHUTTING_DOWN");
  });

  it("does not wait for requests that never came whole", async () => {
    other = await openWorld(pack);
    const listener = await other.listen();
    const sockets = ["Content-Length: 100", "Content-Length: 99999999"].map((length) => {
      const socket = connect(listener.port, "127.0.0.1");
      let received = "";
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
      socket.write(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${length}\r\n\r\n{"jsonrpc"`,
      );
      return { socket, received: () => received };
    });
    // The second has been answered, and what it still sends would be dropped; so the first has come, too.
    await vi.waitFor(() => expect(sockets[1]?.received()).toMatch(/^HTTP\/1.1 413 /));
    const from = performance.now();
    await listener.close(60_000);
    expect(performance.now() - from).toBeLessThan(2_500);
    await vi.waitFor(() => expect(sockets[0]?.received()).toMatch(/^HTTP\/1.1 503 .*SHUTTING_DOWN/s));
    for (const { socket } of sockets) socket.destroy();
  });

  it("says which port is taken", async () => {
    other = await openWorld(pack, { port });
    await expect(other.listen()).rejects.toMatchObject({ code: "ADDRESS_IN_USE", data: { port } });
  });
});
