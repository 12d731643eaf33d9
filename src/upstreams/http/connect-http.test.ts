import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { createWeb } from "../../machine/net/fixtures/web.ts";
import type { Relay, Upstream, UpstreamTarget, Verdict } from "../upstream.ts";
import { connectHttpThrough } from "./connect-http.ts";
import { newHandler, oldSse, oldStreamable } from "./fixtures/sdk-servers.ts";

const web = createWeb();
const open: Upstream[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((upstream) => upstream.close()));
  await web.close();
});

interface Given {
  transport?: "http" | "sse" | "auto";
  known?: Verdict;
  deadline?: Deadline;
  path?: string;
}

/** Connects to it. @returns what came to it, too */
async function connect(listener: RequestListener, { transport = "auto", known, deadline, path = "/mcp" }: Given = {}) {
  const asked: string[] = [];
  const port = await web.serve((request, response) => {
    asked.push(`${request.method} ${String(request.headers["mcp-method"] ?? "")}`.trim());
    listener(request, response);
  });
  const target: UpstreamTarget = { transport, url: `http://127.0.0.1:${port}${path}`, headers: {} };
  const upstream = connectHttpThrough(undefined)(target, {
    name: "other",
    deadline: deadline ?? new Deadline(5_000),
    ...(known && { known }),
    capabilities: { elicitation: {} },
    client: { name: "test", version: "1" },
    maxMessageBytes: 100_000,
    onNotification() {},
    onQuestion: async () => ({}),
    onLine() {},
  });
  void upstream.then((each) => open.push(each)).catch(() => {});
  return { upstream, asked };
}

const aboutOf = async (connecting: ReturnType<typeof connect>) => (await (await connecting).upstream).about;
const answers =
  (status: number, body: unknown = "no") =>
  (_: unknown, response: ServerResponse) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };

describe("what a server speaks", () => {
  it("is found out for one of 2026-07-28", async () => {
    const server = newHandler();
    const { upstream, asked } = await connect(server.listener);
    const { about } = await upstream;
    expect(about).toMatchObject({ era: "modern", transport: "http", version: "2026-07-28" });
    expect(asked).toEqual(["POST server/discover"]);
    const deadline = new Deadline(5_000);
    const params = { name: "echo", arguments: {} };
    expect(await (await upstream).request("tools/call", params, { deadline })).toHaveProperty("content");
    deadline.close();
  });

  it("is found out for one with sessions", async () => {
    expect(await aboutOf(connect(oldStreamable().listener))).toMatchObject({
      era: "legacy",
      transport: "http",
      version: "2025-11-25",
    });
  });

  it("is found out for one of 2024-11-05", async () => {
    expect(await aboutOf(connect(oldSse().listener, { path: "/sse" }))).toMatchObject({
      era: "legacy",
      transport: "sse",
    });
  });

  it("needs no asking where it is known", async () => {
    const old: Verdict = { era: "legacy", transport: "http" };
    const streamable = await connect(oldStreamable().listener, { known: old });
    await streamable.upstream;
    expect(streamable.asked[0]).toBe("POST");
    const sse = await connect(oldSse().listener, { path: "/sse", known: { era: "legacy", transport: "sse" } });
    await sse.upstream;
    expect(sse.asked[0]).toBe("GET");
  });

  it.each<Verdict>([
    { era: "modern", transport: "http" },
    { era: "legacy", transport: "http" },
    { era: "legacy", transport: "sse" },
  ])("is found out again where it is known wrong: $era $transport", async (known) => {
    expect(await aboutOf(connect(oldSse().listener, { path: "/sse", known }))).toMatchObject({ transport: "sse" });
    expect(await aboutOf(connect(oldStreamable().listener, { known }))).toMatchObject({
      era: "legacy",
      transport: "http",
    });
    const handler = newHandler();
    const onlyNew: RequestListener = (request, response) =>
      request.headers["mcp-method"] === undefined
        ? void response.writeHead(400).end()
        : handler.listener(request, response);
    expect(await aboutOf(connect(onlyNew, { known }))).toMatchObject({ era: "modern" });
  });

  it("is tried no further when the operator has said it", async () => {
    await expect(
      (await connect(oldSse().listener, { path: "/sse", transport: "http" })).upstream,
    ).rejects.toMatchObject({
      code: "UPSTREAM_INVALID",
      data: { status: 405 },
    });
    await expect((await connect(oldStreamable().listener, { transport: "sse" })).upstream).rejects.toMatchObject({
      code: "UPSTREAM_INVALID",
    });
  });

  it("may be the older era although it answers nothing to a new question", async () => {
    const server = oldStreamable();
    const mute: RequestListener = (request, response) => {
      if (request.headers["mcp-method"] === undefined) server.listener(request, response);
    };
    expect(await aboutOf(connect(mute, { deadline: new Deadline(400) }))).toMatchObject({ era: "legacy" });
  });
});

describe("a server that cannot be used", () => {
  it.each([
    ["is down", 503, undefined, "UPSTREAM_UNAVAILABLE", 1],
    ["wants a login", 401, undefined, "UPSTREAM_LOGIN", 1],
    [
      "has only later versions",
      400,
      { jsonrpc: "2.0", id: 1, error: { code: -32022, message: "", data: { supported: ["2027-01-01"] } } },
      "UPSTREAM_INVALID",
      1,
    ],
    ["answers nonsense", 200, { hello: 1 }, "UPSTREAM_INVALID", 2],
    ["knows nothing there", 404, undefined, "UPSTREAM_INVALID", 3],
  ])("because it %s is asked no more than needed", async (_, status, body, code, requests) => {
    const { upstream, asked } = await connect(answers(status, body));
    await expect(upstream).rejects.toMatchObject({ code });
    expect(asked).toHaveLength(requests);
  });

  it("because it hangs is given up in time, and its connection closed", async () => {
    let closed = 0;
    const hang = (request: IncomingMessage) => void request.socket.on("close", () => closed++);
    const { upstream } = await connect(hang, { deadline: new Deadline(100) });
    await expect(upstream).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE", data: { reason: "timeout" } });
    await expect.poll(() => closed).toBe(2);
  });

  it("because nobody wants it any more says so", async () => {
    const deadline = new Deadline(5_000);
    const { upstream } = await connect(() => {}, { deadline });
    deadline.end("shutdown");
    await expect(upstream).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });
});

describe("a question of a server of the older era", () => {
  const relayOf = (answer: string): Relay => ({
    can: { elicitForm: true, elicitUrl: true, sampling: true, roots: false },
    logLevel: undefined,
    log() {},
    ask: async () => ({ action: answer, content: {} }),
  });

  it("reaches the client of the very call, of many on one connection", async () => {
    const upstream = await (await connect(oldStreamable().listener)).upstream;
    const answers = ["accept", "decline", "cancel", "decline", "accept"];
    const deadline = new Deadline(5_000);
    const results = answers.map((answer) =>
      upstream.request("tools/call", { name: "ask" }, { deadline, relay: relayOf(answer) }),
    );
    expect(await Promise.all(results)).toMatchObject(answers.map((text) => ({ content: [{ text }] })));
    deadline.close();
  });
});
