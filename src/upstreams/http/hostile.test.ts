import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { createWeb } from "../../machine/net/fixtures/web.ts";
import { type Given, openNew, openOld, type Talk } from "./fixtures/open-wire.ts";

const web = createWeb();
const talks: Talk[] = [];

afterEach(async () => {
  await Promise.all(talks.splice(0).map((talk) => talk.close()));
  await web.close();
});

interface Asked {
  id: number;
  method: string;
  request: IncomingMessage;
}
type Answer = (response: ServerResponse, asked: Asked) => void;

const json = (response: ServerResponse, value: unknown, status = 200) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const event = (value: unknown, id?: string) =>
  `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`;
const events = (response: ServerResponse) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  return response;
};
const result = (id: number, value = {}) => ({ jsonrpc: "2.0", id, result: value });

/** A server of the older era that answers `tools/call` in its own way, and all else well. */
async function serve(answer: Answer, more: { sessionId?: string; onGet?: Answer } = {}): Promise<string> {
  const port = await web.serve((request, response) => void respond(request, response));
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}") as { id: number; method: string };
    const asked = { id, method, request };
    if (request.method === "GET") return more.onGet ? more.onGet(response, asked) : response.writeHead(405).end();
    if (request.method === "DELETE" || id === undefined) return response.writeHead(202).end();
    if (method === "tools/call" || method === "ping") return answer(response, asked);
    if (method === "initialize" && more.sessionId !== undefined) response.setHeader("mcp-session-id", more.sessionId);
    return json(response, result(id, { protocolVersion: "2025-11-25" }));
  }
  return `http://127.0.0.1:${port}/mcp`;
}

async function open(answer: Answer, more: { sessionId?: string; onGet?: Answer } & Given = {}): Promise<Talk> {
  const talk = await openOld(await serve(answer, more), more);
  talks.push(talk);
  return talk;
}

/** What has gone wrong is over: the same wire answers the next request. */
const isWell = async (talk: Talk) => expect(await talk.ask("tools/list")).toMatchObject({ result: {} });

describe("an answer that is none", () => {
  const cases: [string, string, Answer][] = [
    ["a web page", "UPSTREAM_INVALID", (r) => r.setHeader("content-type", "text/html").end("<html>hi</html>")],
    [
      "another type of content",
      "UPSTREAM_INVALID",
      (r, { id }) => r.setHeader("content-type", "text/plain").end(JSON.stringify(result(id))),
    ],
    ["nothing", "UPSTREAM_INVALID", (r) => r.setHeader("content-type", "application/json").end()],
    ["only that it was accepted", "UPSTREAM_INVALID", (r) => r.writeHead(202).end()],
    [
      "half of a message",
      "UPSTREAM_INVALID",
      (r) => r.setHeader("content-type", "application/json").end('{"jsonrpc":"2.0"'),
    ],
    ["an answer to another request", "UPSTREAM_INVALID", (r, { id }) => json(r, result(id + 1000))],
    [
      "an id that is a text",
      "UPSTREAM_INVALID",
      (r, { id }) => json(r, { jsonrpc: "2.0", id: String(id), result: {} }),
    ],
    ["a result that is a list", "UPSTREAM_INVALID", (r, { id }) => json(r, { jsonrpc: "2.0", id, result: [] })],
    ["a status of a fault", "UPSTREAM_UNAVAILABLE", (r) => r.writeHead(503, { "retry-after": "5" }).end("busy")],
    ["too many requests", "UPSTREAM_UNAVAILABLE", (r) => r.writeHead(429).end()],
    ["an unknown page", "UPSTREAM_INVALID", (r) => r.writeHead(404).end()],
    ["a refusal", "UPSTREAM_LOGIN", (r) => r.writeHead(403).end()],
    [
      "what is packed",
      "UPSTREAM_INVALID",
      (r, { id }) =>
        r
          .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
          .end(gzipSync(JSON.stringify(result(id)))),
    ],
    [
      "half of what it announced",
      "UPSTREAM_UNAVAILABLE",
      (r) => {
        r.writeHead(200, { "content-type": "application/json", "content-length": "100" });
        r.write("{", () => r.destroy());
      },
    ],
    ["a broken connection", "UPSTREAM_UNAVAILABLE", (r) => r.destroy()],
    [
      "a way to another origin",
      "UPSTREAM_INVALID",
      (r) => r.writeHead(307, { location: "http://127.0.0.1:9/mcp" }).end(),
    ],
    ["a way that loses the body", "UPSTREAM_INVALID", (r) => r.writeHead(302, { location: "/other" }).end()],
    ["a way in a circle", "UPSTREAM_INVALID", (r) => r.writeHead(308, { location: "/mcp" }).end()],
    ["a stream without an answer", "UPSTREAM_UNAVAILABLE", (r) => events(r).end(": nothing\n\n")],
    ["a stream with another's answer", "UPSTREAM_UNAVAILABLE", (r, { id }) => events(r).end(event(result(id + 1000)))],
    ["a stream that breaks", "UPSTREAM_UNAVAILABLE", (r) => events(r).write("data: {", () => r.destroy())],
  ];

  it.each(cases)("is an error of that request alone: %s", async (_, code, answer) => {
    const talk = await open(answer);
    await expect(talk.ask("tools/call")).rejects.toMatchObject({ code });
    await isWell(talk);
  });

  it.each(["whole", "stream"])("is no larger than the limit: %s", async (kind) => {
    const maxMessageBytes = 10_000;
    const answerOf =
      (bytes: number) =>
      (response: ServerResponse, { id }: Asked) => {
        const bare = JSON.stringify(result(id, { a: "" })).length;
        const value = result(id, { a: "x".repeat(bytes - bare) });
        if (kind === "whole") json(response, value);
        else events(response).end(event(value));
      };
    const fits = await open(answerOf(kind === "whole" ? maxMessageBytes : maxMessageBytes), { maxMessageBytes });
    expect(await fits.ask("tools/call")).toHaveProperty("result.a");
    const tooLarge = await open(answerOf(maxMessageBytes + 1), { maxMessageBytes });
    await expect(tooLarge.ask("tools/call")).rejects.toMatchObject({ code: "TOO_LARGE" });
    await isWell(tooLarge);
  });

  it("is given up while it is still coming, when it is too large", async () => {
    let hasClosed = false;
    const talk = await open((response) => {
      response.setHeader("content-type", "application/json").on("close", () => (hasClosed = true));
      const more = () => void (response.destroyed || response.write("x".repeat(10_000), () => setImmediate(more)));
      more();
    });
    await expect(talk.ask("tools/call")).rejects.toMatchObject({ code: "TOO_LARGE" });
    await expect.poll(() => hasClosed).toBe(true);
  });

  it("that drips ends with the deadline and closes the stream", async () => {
    let hasClosed = false;
    const talk = await open((response) => {
      events(response).on("close", () => (hasClosed = true));
      const drip = setInterval(() => response.write(": \n"), 5);
      response.on("close", () => clearInterval(drip));
    });
    await expect(talk.ask("tools/call", {}, { deadline: new Deadline(60) })).rejects.toMatchObject({ code: "TIMEOUT" });
    await expect.poll(() => hasClosed).toBe(true);
    await isWell(talk);
  });
});

describe("an odd answer", () => {
  it("on a stream that never ends is taken, and the stream closed", async () => {
    let hasClosed = false;
    const talk = await open((response, { id }) => {
      events(response).on("close", () => (hasClosed = true));
      response.write(event(result(id, { a: 1 })));
    });
    expect(await talk.ask("tools/call")).toMatchObject({ result: { a: 1 } });
    await expect.poll(() => hasClosed, { timeout: 2_000 }).toBe(true);
  });

  it("that is an error without an id belongs to the request", async () => {
    const talk = await open((response) =>
      json(response, { jsonrpc: "2.0", id: null, error: { code: -32000, message: "no" } }, 400),
    );
    expect(await talk.ask("tools/call")).toMatchObject({ error: { code: -32000, message: "no" } });
  });

  it("in a batch is found", async () => {
    const talk = await open((response, { id }) =>
      json(response, [{ jsonrpc: "2.0", method: "a" }, result(id, { a: 1 })]),
    );
    const seen: string[] = [];
    const answer = await talk.ask("tools/call", {}, { onMessage: ({ method }) => seen.push(method) });
    expect([answer, seen]).toMatchObject([{ result: { a: 1 } }, ["a"]]);
  });

  it("keeps no text where something is hidden in it", async () => {
    const talk = await open((response, { id }) =>
      response
        .setHeader("content-type", "application/json")
        .end(`{"jsonrpc":"2.0","id":${id},"result":{"a":1},"id":${id}}`),
    );
    const answer = await talk.ask("tools/call");
    expect(answer).toEqual({ result: { a: 1 } });
  });

  it("behind a redirect within the origin is fetched with the same request", async () => {
    const talk = await open((response, { id, request }) =>
      request.url === "/mcp"
        ? response.writeHead(307, { location: "/mcp/" }).end()
        : json(response, result(id, { a: 1 })),
    );
    expect(await talk.ask("tools/call")).toMatchObject({ result: { a: 1 } });
  });
});

describe("a stream that broke off in mid-call", () => {
  it("is asked for again where the server has given ids", async () => {
    let lastEventId: unknown;
    let id = 0;
    const talk = await open(
      (response, asked) => {
        id = asked.id;
        events(response).end("id: 7\nretry: 10\ndata:\n\n");
      },
      {
        onGet(response, { request }) {
          lastEventId = request.headers["last-event-id"];
          events(response).end(event(result(id, { a: 1 }), "8"));
        },
      },
    );
    expect(await talk.ask("tools/call")).toMatchObject({ result: { a: 1 } });
    expect(lastEventId).toBe("7");
  });

  it("is an error when it cannot be had again", async () => {
    const talk = await open((response) => events(response).end("id: 7\nretry: 1\ndata:\n\n"));
    await expect(talk.ask("tools/call")).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      data: { reason: "stream" },
    });
    await isWell(talk);
  });
});

describe("a refusal that may mean a lost session", () => {
  const nameless = { jsonrpc: "2.0", id: null, error: { code: -32000, message: "Bad Request" } };

  it("ends the wire when the session is not known for anything", async () => {
    const talk = await open((response) => json(response, nameless, 400), { sessionId: "s" });
    await expect(talk.ask("tools/call")).rejects.toMatchObject({ data: { reason: "session", isUnhandled: true } });
    expect(await talk.wire.ended).toMatchObject({ reason: "lost" });
  });

  it("is an error of the request alone when the session is still there", async () => {
    const talk = await open(
      (response, { id, method }) => (method === "ping" ? json(response, result(id)) : json(response, nameless, 400)),
      { sessionId: "s" },
    );
    expect(await talk.ask("tools/call")).toMatchObject({ error: { code: -32000 } });
    await isWell(talk);
  });
});

describe("headers", () => {
  const seenBy = async (given: Given, modern = false) => {
    let seen: IncomingMessage["headers"] = {};
    const answer: Answer = (response, { id, request }) => {
      seen = request.headers;
      json(response, result(id));
    };
    const url = await serve(answer, { sessionId: "s" });
    const talk = modern ? await openNew(url, given) : await openOld(url, given);
    talks.push(talk);
    await talk.ask(
      "tools/call",
      {},
      { headers: { "mcp-name": "grün", "mcp-param-region": "eu-1", "mcp-param-b": " =?base64?x?=" } },
    );
    return seen;
  };

  it("of the operator go along, but none takes the place of the protocol's", async () => {
    const seen = await seenBy({
      headers: {
        "X-Key": "1",
        Authorization: "Bearer a",
        "Mcp-Session-Id": "forged",
        Accept: "text/html",
        "Content-Type": "text/html",
      },
    });
    expect(seen).toMatchObject({
      "x-key": "1",
      authorization: "Bearer a",
      "mcp-session-id": "s",
      "mcp-protocol-version": "2025-11-25",
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
    });
    expect(seen).not.toHaveProperty("mcp-name");
  });

  it("of 2026-07-28 repeat what the message says, encoded where HTTP cannot carry it", async () => {
    expect(await seenBy({}, true)).toMatchObject({
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": `=?base64?${Buffer.from("grün").toString("base64")}?=`,
      "mcp-param-region": "eu-1",
      "mcp-param-b": `=?base64?${Buffer.from(" =?base64?x?=").toString("base64")}?=`,
    });
  });
});

describe("the start of the older era", () => {
  it("is over before anything else is asked", async () => {
    const seen: string[] = [];
    let release = () => {};
    const port = await web.serve((request, response) => {
      request.setEncoding("utf8").on("data", (body: string) => {
        const { id, method } = JSON.parse(body) as { id: number; method: string };
        seen.push(method);
        if (id !== undefined) json(response, result(id, { protocolVersion: "2025-11-25" }));
        else release = () => response.writeHead(202).end();
      });
    });
    const talk = await openOld(`http://127.0.0.1:${port}/mcp`);
    talks.push(talk);
    const answer = talk.ask("tools/list");
    await expect(talk.ask("tools/list", {}, { deadline: new Deadline(50) })).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(seen).toEqual(["initialize", "notifications/initialized"]);
    release();
    expect(await answer).toMatchObject({ result: {} });
    expect(seen.slice(2)).toEqual(["tools/list"]);
  });
});
