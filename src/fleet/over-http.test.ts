import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { Paused } from "../core/pause.ts";
import { createWeb } from "../machine/net/fixtures/web.ts";
import { connectHttpThrough } from "../upstreams/http/connect-http.ts";
import { oldSse, oldStreamable } from "../upstreams/http/fixtures/sdk-servers.ts";
import { askingHandler } from "./fixtures/sdk-modern.ts";
import { callTool, known, openFleet, rawServer, testClient } from "./fixtures/open-fleet.ts";

const web = createWeb();

afterEach(() => web.close());

async function open(listener: Parameters<typeof web.serve>[0], path = "/mcp") {
  const port = await web.serve(listener);
  const target = { transport: "auto", url: `http://127.0.0.1:${port}${path}`, headers: {} } as const;
  const fleet = openFleet([rawServer("web", {}, { target })], { connect: connectHttpThrough(undefined) });
  await known(fleet, "web");
  return fleet;
}

describe.each([
  ["Streamable HTTP", () => oldStreamable().listener, "/mcp", "legacy"],
  ["HTTP+SSE", () => oldSse().listener, "/sse", "legacy"],
  ["2026-07-28", () => askingHandler(), "/mcp", "modern"],
] as const)("a server on the SDK, over %s", (_name, listener, path, era) => {
  it("is listed and called, many times at once", async () => {
    await using fleet = await open(listener(), path);
    expect(fleet.server("web")).toMatchObject({ status: "ready", era });
    const values = Array.from({ length: 20 }, (_, n) => n);
    const texts = await Promise.all(values.map((n) => callTool(fleet, "web__echo", { n })));
    expect(texts).toEqual(values.map((n) => JSON.stringify({ n })));
  });

  it("passes progress on, and is told when a call is cancelled", async () => {
    await using fleet = await open(listener(), path);
    const client = testClient();
    await callTool(fleet, "web__progress", {}, client);
    expect(client.progress).toEqual([1, 2, 3]);
    const deadline = new Deadline(10_000);
    const waiting = callTool(fleet, "web__wait", {}, client, deadline);
    deadline.end("client");
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await callTool(fleet, "web__echo", { own: 1 })).toBe('{"own":1}');
  });

  it("asks the client of each call, of either era", async () => {
    await using fleet = await open(listener(), path);
    const old = testClient({ answers: () => ({ action: "accept", content: {} }) });
    expect(await callTool(fleet, "web__ask", {}, old)).toContain("accept");
    const paused = (await callTool(fleet, "web__ask").catch((each: unknown) => each)) as Paused;
    expect(paused).toBeInstanceOf(Paused);
    const [key = ""] = Object.keys(paused.asks);
    const resumed = { state: paused.state ?? "", answers: { [key]: { action: "decline" } } };
    expect(await callTool(fleet, "web__ask", {}, testClient({ resumed }))).toContain("decline");
  });
});

it("tells questions of calls on one shared connection apart by the stream they came on", async () => {
  await using fleet = await open(oldStreamable().listener);
  const clients = (["accept", "decline", "cancel"] as const).map((action) => testClient({ answers: () => ({ action, ...(action === "accept" ? { content: {} } : {}) }) })); // prettier-ignore
  const answers = await Promise.all(clients.map((client) => callTool(fleet, "web__ask", {}, client)));
  expect(answers).toEqual(["accept", "decline", "cancel"]);
  expect(fleet.counts().connected).toBe(1);
});
