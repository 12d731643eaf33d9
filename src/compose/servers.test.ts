import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { loadSettings } from "../config/load.ts";
import { LOCAL } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import type { JsonObject } from "../core/json.ts";
import type { CallIo } from "../core/source.ts";
import { openApp } from "./open-app.ts";

const SERVER = fileURLToPath(new URL("../../test/gateway/fixtures/plain-server.mjs", import.meta.url));
const PLAIN = { command: process.execPath, args: [SERVER] };
const QUIET: CallIo = {
  can: { elicitForm: false, elicitUrl: false, sampling: false, roots: false },
  ask: () => Promise.reject(new Error("nobody is there")),
  progress() {},
  log() {},
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "servers-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function open(env: Record<string, string> = {}) {
  const argv = ["--data-dir", folder];
  const read = () => undefined;
  const machine = { argv, env: {}, cwd: folder, homeDir: folder, platform: process.platform, readFile: read };
  const { settings } = await loadSettings(machine);
  const app = await openApp(settings, { ambient: { env, secrets: {}, npm: {}, homeDir: folder }, log: () => {} });
  const known = async (name: string) => {
    const deadline = new Deadline(10_000);
    try {
      return await app.fleet.known(name, deadline);
    } finally {
      deadline.close();
    }
  };
  const call = (name: string, args: JsonObject) =>
    app.calls.call({
      wanted: { kind: "tool", name, args },
      caller: { principal: LOCAL },
      io: QUIET,
      deadline: new Deadline(10_000),
      consumer: "program",
      requestId: "r",
    });
  return { app, known, call };
}

it("writes down what a search has led to, also when the program ends right after", async () => {
  const { app, known, call } = await open();
  await app.servers.put("plain", PLAIN);
  await known("plain");
  await call("tool_search", { query: "gives back a text" });
  expect(await call("plain__echo", { text: "hi" })).toMatchObject({ state: "done" });
  const add = vi.spyOn(app.store.signals, "add");
  await app.close();
  expect(add.mock.calls.flat(2)).toMatchObject([{ query: "gives back a text" }]);
});

it("forgets the lists of a server that was removed", async () => {
  const { app, known } = await open();
  const forgotten = vi.spyOn(app.store.lists, "remove");
  await app.servers.put("plain", PLAIN);
  await known("plain");
  expect(forgotten).not.toHaveBeenCalled();
  await app.servers.remove("plain");
  expect(forgotten.mock.calls).toEqual([["plain"]]);
  await app.close();
});

it("goes through the proxy that the environment names", async () => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(String(request.url));
    response.writeHead(502).end();
  });
  proxy.on("connect", (request, socket) => {
    asked.push(String(request.url));
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { app, known } = await open({ HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
  await app.servers.put("far", { url: "http://far.invalid/mcp" });
  await expect(known("far")).rejects.toMatchObject({ code: expect.stringMatching(/^UPSTREAM_/) });
  expect(asked.join()).toContain("far.invalid");
  await app.close();
  proxy.closeAllConnections();
  proxy.close();
});
