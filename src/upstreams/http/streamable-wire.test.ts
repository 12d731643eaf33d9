import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { createWeb } from "../../machine/net/fixtures/web.ts";
import type { WireMessage } from "../peer/wire.ts";
import { openNew, openOld, type Talk } from "./fixtures/open-wire.ts";
import { newHandler, oldStreamable } from "./fixtures/sdk-servers.ts";

const web = createWeb();
const talks: Talk[] = [];
const kept = <T extends Talk>(talk: T): T => (talks.push(talk), talk);

afterEach(async () => {
  await Promise.all(talks.splice(0).map((talk) => talk.close()));
  await web.close();
});

const call = (name: string, args = {}) => ({ name, arguments: args });
const textOf = (answer: unknown) => (answer as { result: { content: { text: string }[] } }).result.content[0]?.text;

describe.each([{ json: true }, { json: false }])("a server of the older era, json: $json", ({ json }) => {
  const open = async (listen = false) => {
    const server = oldStreamable({ json });
    const port = await web.serve(server.listener);
    return { server, talk: kept(await openOld(`http://127.0.0.1:${port}/mcp`, { listen })) };
  };

  it("answers with the text of the result", async () => {
    const { talk } = await open();
    const answer = await talk.ask("tools/call", call("echo", { a: "ü" }));
    expect(textOf(answer)).toBe('{"a":"ü"}');
    expect(answer).toMatchObject({ text: JSON.stringify((answer as { result: object }).result) });
  });

  it("gives each of many its own answer", async () => {
    const { talk } = await open();
    const all = Array.from({ length: 50 }, (_, n) => talk.ask("tools/call", call("echo", { n })));
    expect((await Promise.all(all)).map(textOf)).toEqual(Array.from({ length: 50 }, (_, n) => `{"n":${n}}`));
  });

  it("passes on an error of the server", async () => {
    const { talk } = await open();
    expect(await talk.ask("no/such")).toMatchObject({ error: { code: -32601 } });
  });

  it("ends its session at close", async () => {
    const { talk, server } = await open();
    expect(server.sessions.size).toBe(1);
    await talk.close();
    expect(server.sessions.size).toBe(0);
    expect(await talk.wire.ended).toMatchObject({ reason: "closed" });
  });

  it("ends as lost when the session is gone, and says that the request did nothing", async () => {
    const { talk, server } = await open();
    await server.forget();
    await expect(talk.ask("tools/list")).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      data: { isUnhandled: true },
    });
    expect(await talk.wire.ended).toMatchObject({ reason: "lost" });
  });

  it("hears of changes on the stream apart, also when that has ended once", async () => {
    const { talk, server } = await open(true);
    const changed: WireMessage = { kind: "notification", method: "notifications/tools/list_changed", params: {} };
    const tell = async () => {
      for (const each of server.sessions.values()) await each.sendToolListChanged();
      return talk.apart;
    };
    await expect.poll(tell).toContainEqual(changed);
    server.endListening();
    talk.apart.length = 0;
    await expect.poll(tell, { timeout: 5_000 }).toContainEqual(changed);
  });
});

describe("a server of the older era, with streams", () => {
  it("gives what comes on the stream of a request to that request, and its answers back", async () => {
    const server = oldStreamable();
    const talk = kept(await openOld(`http://127.0.0.1:${await web.serve(server.listener)}/mcp`));
    const ask = (name: string) => {
      const seen: WireMessage[] = [];
      const answer = talk.ask(
        "tools/call",
        { ...call(name), _meta: { progressToken: name } },
        {
          onMessage(message) {
            seen.push(message);
            if (message.kind !== "request") return;
            talk.wire.send(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: { action: "decline" } }));
          },
        },
      );
      return answer.then((got) => ({ text: textOf(got), seen }));
    };
    const [asked, progressed] = await Promise.all([ask("ask"), ask("progress")]);
    expect(asked).toMatchObject({ text: "decline", seen: [{ kind: "request", method: "elicitation/create" }] });
    expect(progressed.seen.map((message) => message.params["progress"])).toEqual([1, 2, 3]);
    expect(talk.apart).toEqual([]);
  });

  it("ends a request with its deadline, and the next one gets its own answer", async () => {
    const server = oldStreamable();
    const talk = kept(await openOld(`http://127.0.0.1:${await web.serve(server.listener)}/mcp`));
    await expect(talk.ask("tools/call", call("wait"), { deadline: new Deadline(50) })).rejects.toMatchObject({
      code: "TIMEOUT",
    });
    expect(textOf(await talk.ask("tools/call", call("echo", { n: 1 })))).toBe('{"n":1}');
  });
});

describe("a server of 2026-07-28", () => {
  const open = async () => {
    const server = newHandler();
    return { server, talk: kept(await openNew(`http://127.0.0.1:${await web.serve(server.listener)}/mcp`)) };
  };

  it("is discovered and answers", async () => {
    const { talk } = await open();
    expect(await talk.ask("server/discover")).toMatchObject({ result: { supportedVersions: ["2026-07-28"] } });
    const answer = await talk.ask("tools/call", call("echo", { a: 1 }), { headers: { "mcp-name": "echo" } });
    expect(textOf(answer)).toBe('{"a":1}');
    expect(answer).toHaveProperty("text");
  });

  it("is told to stop by closing the stream", async () => {
    const { talk } = await open();
    const deadline = new Deadline(10_000);
    const answer = talk.ask("tools/call", call("wait"), { deadline, headers: { "mcp-name": "wait" } });
    deadline.end("client");
    await expect(answer).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("tells of changes on an open request", async () => {
    const { talk, server } = await open();
    const seen: string[] = [];
    const deadline = new Deadline(10_000);
    const answer = talk.ask(
      "subscriptions/listen",
      { notifications: { toolsListChanged: true } },
      { deadline, onMessage: ({ method }) => seen.push(method) },
    );
    await expect.poll(() => seen).toEqual(["notifications/subscriptions/acknowledged"]);
    server.toolsChanged();
    await expect.poll(() => seen).toContain("notifications/tools/list_changed");
    deadline.end("client");
    await expect(answer).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
