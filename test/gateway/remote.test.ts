import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectV1, connectV2, type Result, type TestClient } from "../interop/clients.ts";
import { npmServers } from "../support/real-servers.ts";
import { openAsking, untilListed } from "./asking.ts";
import { openGateway } from "./open-gateway.ts";

const npm = await npmServers();
const WAIT = { timeout: 15_000, interval: 50 };
const textOf = ({ content }: Result) => content.map(({ text }) => text ?? "").join("\n");

const CLIENTS: [string, (url: string) => Promise<TestClient>][] = [
  ["SDK v1", (url) => connectV1({ url })],
  ["SDK v2, older era", (url) => connectV2({ url }, "legacy")],
  ["SDK v2, 2026-07-28", (url) => connectV2({ url }, "modern")],
];
const SERVERS: [string, string, string][] = [
  ["with sessions", "streamableHttp", "/mcp"],
  ["of 2024-11-05, whose way is found out", "sse", "/sse"],
];

/** What the published server needs: it takes no port of the system's choice. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function start(mode: string, port: number): Promise<ChildProcess> {
  const { command, args } = npm?.everything(mode) ?? { command: "", args: [] };
  const child = spawn(command, args, { env: { PORT: String(port) }, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  await new Promise<void>((resolve, reject) => {
    child.once("exit", () => reject(new Error(log)));
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes(`port ${port}`)) resolve();
    });
  });
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

describe.skipIf(!npm).each(SERVERS)("a published server over HTTP, %s", (_about, mode, path) => {
  let gateway: Awaited<ReturnType<typeof openGateway>>;
  let server: ChildProcess;
  let port = 0;
  beforeAll(async () => {
    port = await freePort();
    server = await start(mode, port);
    gateway = await openGateway({ far: { url: `http://127.0.0.1:${port}${path}` } });
    await untilListed(await openAsking(gateway.url), "far__echo");
  });
  afterAll(async () => {
    await gateway.close();
    await stop(server);
  });

  it.each(CLIENTS)("works for a client with %s", async (_client, connect) => {
    const client = await connect(gateway.url);
    expect(textOf(await client.call("far__echo", { message: "héllo" }))).toContain("héllo");
    expect(textOf(await client.call("far__trigger-elicitation-request"))).toContain("Ada");
    const sampled = await client.call("far__trigger-sampling-request", { prompt: "Capital?", maxTokens: 10 });
    expect(textOf(sampled)).toContain("Paris");
    const heard: number[] = [];
    const args = { duration: 0.3, steps: 3 };
    await client.call("far__trigger-long-running-operation", args, { onprogress: ({ progress }) => void heard.push(progress) }); // prettier-ignore
    expect(heard).toEqual(expect.arrayContaining([1, 2]));
    expect(JSON.stringify(await client.readResource("demo://resource/dynamic/text/7"))).toContain("7");
    expect(await client.complete("far__completable-prompt", "department", "E")).toContain("Engineering");
    await client.close();
  });

  it("may be started anew: calls meanwhile say that it is down, those after work, on the same session", async () => {
    const client = await openAsking(gateway.url);
    const begun = client.call("far__trigger-long-running-operation", { duration: 30, steps: 30 });
    const early = await client.call("far__echo", { message: "before" });
    expect(early.text).toContain("before");
    await stop(server);
    expect(await begun).toMatchObject({ isError: true, code: "UPSTREAM_UNAVAILABLE", text: expect.stringContaining("far") }); // prettier-ignore
    const down = await client.call("far__echo", { message: "meanwhile" });
    expect(down).toMatchObject({ isError: true, code: "UPSTREAM_UNAVAILABLE", text: expect.stringContaining("far") });
    expect(await client.names()).toContain("far__echo");
    server = await start(mode, port);
    await expect.poll(async () => (await client.call("far__echo", { message: "after" })).text, WAIT).toContain("after");
  }, 40_000);
});
