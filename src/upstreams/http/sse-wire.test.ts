import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { createWeb } from "../../machine/net/fixtures/web.ts";
import type { Wire, WireMessage } from "../peer/wire.ts";
import { initialize, openSite, type Talk, talkOver } from "./fixtures/open-wire.ts";
import { oldSse } from "./fixtures/sdk-servers.ts";
import { openSseWire } from "./sse-wire.ts";

const web = createWeb();
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
  await web.close();
});

async function open(port: number, deadline = new Deadline(5_000)): Promise<Talk<Wire>> {
  const apart: WireMessage[] = [];
  const place = await openSite(`http://127.0.0.1:${port}/sse`);
  closing.push(() => place.pool.close());
  const wire = await openSseWire({ ...place, deadline, onMessage: (message) => apart.push(message) });
  closing.push(() => wire.close());
  return talkOver(wire, apart);
}

describe("a server of 2024-11-05", () => {
  it("answers on its stream, and tells there what it has to tell", async () => {
    const server = oldSse();
    const talk = await open(await web.serve(server.listener));
    expect(await initialize(talk)).toMatchObject({ result: { serverInfo: { name: "old" } } });
    const all = Array.from({ length: 20 }, (_, n) => talk.ask("tools/call", { name: "echo", arguments: { n } }));
    const answers = (await Promise.all(all)) as { result: { content: { text: string }[] }; text?: string }[];
    expect(answers.map(({ result }) => result.content[0]?.text)).toEqual(all.map((_, n) => `{"n":${n}}`));
    expect(answers[0]?.text).toBe(JSON.stringify(answers[0]?.result));
    for (const each of server.sessions.values()) await each.sendToolListChanged();
    await expect.poll(() => talk.apart).toMatchObject([{ method: "notifications/tools/list_changed" }]);
  });

  it("fails what is under way when it goes away", async () => {
    const server = oldSse();
    const talk = await open(await web.serve(server.listener));
    await initialize(talk);
    const answer = talk.ask("tools/call", { name: "wait" });
    void answer.catch(() => {});
    await server.forget();
    await expect(answer).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    expect(await talk.wire.ended).toMatchObject({ reason: "lost" });
    await expect(talk.ask("tools/list")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  });

  it("ends a request with its deadline", async () => {
    const talk = await open(await web.serve(oldSse().listener));
    await initialize(talk);
    const late = talk.ask("tools/call", { name: "wait" }, { deadline: new Deadline(50) });
    await expect(late).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(await talk.ask("tools/list")).toHaveProperty("result.tools");
  });

  it("is let go at close", async () => {
    const server = oldSse();
    const talk = await open(await web.serve(server.listener));
    await talk.close();
    await expect.poll(() => server.sessions.size).toBe(0);
    expect(await talk.wire.ended).toMatchObject({ reason: "closed" });
  });
});

describe("an address to post to", () => {
  const say = (text: string) => (_: unknown, response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text);
  };

  it.each(["http://127.0.0.1:9/messages", "https://127.0.0.1/messages", "//other.example/", "http://["])(
    "at another origin is refused: %s",
    async (address) => {
      const port = await web.serve(say(`event: endpoint\ndata: ${address}\n\n`));
      await expect(open(port)).rejects.toMatchObject({ code: "UPSTREAM_INVALID" });
    },
  );

  it("that never comes ends with the deadline, and the stream with it", async () => {
    let hasClosed = false;
    const port = await web.serve((_, response) => {
      response.on("close", () => (hasClosed = true));
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    });
    await expect(open(port, new Deadline(60))).rejects.toMatchObject({ code: "TIMEOUT" });
    await expect.poll(() => hasClosed).toBe(true);
  });

  it("that is no stream at all is an error", async () => {
    const port = await web.serve((_, response) => response.writeHead(404).end());
    await expect(open(port)).rejects.toMatchObject({ code: "UPSTREAM_INVALID", data: { status: 404 } });
  });
});
