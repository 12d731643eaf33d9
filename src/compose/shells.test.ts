import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadSettings } from "../config/load.ts";
import { LOCAL } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import type { CallIo } from "../core/source.ts";
import { testDocker } from "../../test/support/docker.ts";
import { openApp } from "./open-app.ts";
import type { App } from "./app.ts";

const docker = await testDocker("node");
const QUIET: CallIo = {
  can: { elicitForm: false, elicitUrl: false, sampling: false, roots: false },
  ask: () => Promise.reject(new Error("nobody is there")),
  progress() {},
  log() {},
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamic-mcp-shells-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function open(...flags: string[]): Promise<App> {
  const argv = ["--data-dir", folder, "--profile", "enterprise", ...flags];
  const { settings } = await loadSettings({ argv, env: {}, cwd: folder, homeDir: folder, platform: "linux", readFile: () => undefined }); // prettier-ignore
  return openApp(settings, { log: () => {} });
}

async function call(app: App, name: string, args: Record<string, string | string[]> = {}) {
  const deadline = new Deadline(30_000);
  const wanted = { kind: "tool", name, args } as const;
  const end = await app.calls.call({ wanted, caller: { principal: LOCAL }, io: QUIET, deadline, consumer: "program", requestId: "r" }); // prettier-ignore
  deadline.close();
  return end;
}

describe("shells of the whole program", () => {
  it("can be called without a daemon, and say what to install", async () => {
    const app = await open("--docker-host", "unix:///nowhere/docker.sock");
    expect(await call(app, "sandbox_initialize")).toMatchObject({ state: "failed", code: "ENGINE_UNAVAILABLE" });
    expect(await call(app, "sandbox_session_list")).toMatchObject({
      state: "done",
      result: { structuredContent: { sessions: [] } },
    });
    await app.close();
  });

  it.skipIf(!docker)("touch no container that is not theirs, and end with the program [shells-owned]", async () => {
    if (!docker) throw new Error("skipped");
    const { containers } = docker.client;
    const name = `dynamic-mcp-test-bystander-${process.pid}`;
    const spec = { Image: docker.images.node, Cmd: ["sleep", "600"], HostConfig: { NetworkMode: "none" } };
    const bystander = await containers.create(spec, { name });
    try {
      await containers.start(bystander);
      const app = await open("--sandbox-allowed-images", docker.images.node);
      const started = await call(app, "sandbox_initialize");
      const { sessionId } = (started.state === "done" && "structuredContent" in started.result ? started.result.structuredContent : {}) as { sessionId: string }; // prettier-ignore
      for (const other of [name, bystander, bystander.slice(0, 12)]) {
        for (const tool of ["sandbox_stop", "sandbox_exec"]) {
          const end = await call(app, tool, { sessionId: other, ...(tool === "sandbox_exec" && { commands: ["true"] }) }); // prettier-ignore
          expect(end).toMatchObject({ state: "failed", code: "SHELL_NOT_FOUND" });
        }
      }
      expect(await containers.inspect(bystander)).toMatchObject({ isRunning: true });
      expect(await call(app, "sandbox_exec", { sessionId, commands: ["echo hi"] })).toMatchObject({ state: "done" });
      expect(await containers.inspect(sessionId)).toMatchObject({ isRunning: true });
      await app.close();
      expect(await containers.inspect(sessionId)).toBeUndefined();
    } finally {
      await containers.remove(bystander);
      docker.client.close();
    }
  });
});
