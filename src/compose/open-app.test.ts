import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadSettings } from "../config/load.ts";
import { LOCAL } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import type { CallIo } from "../core/source.ts";
import { openApp } from "./open-app.ts";

const QUIET: CallIo = {
  can: { elicitForm: false, elicitUrl: false, sampling: false, roots: false },
  ask: () => Promise.reject(new Error("nobody is there")),
  progress() {},
  log() {},
};
/** Its tool runs until it is told to end. */
const PACK = `export default {
  name: "slow",
  tools: [{ name: "wait", description: "Waits", run: (_, { deadline }) => new Promise((_, reject) => deadline.onEnd(() => reject(deadline.error()))) }],
};`;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "open-app-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function open() {
  const pack = join(folder, "slow.mjs");
  await writeFile(pack, PACK);
  const argv = ["--data-dir", folder, "--pack", pack, "--audit-enabled"];
  const readFileHere = () => undefined;
  const { settings } = await loadSettings({ argv, env: {}, cwd: folder, homeDir: folder, platform: "linux", readFile: readFileHere }); // prettier-ignore
  return await openApp(settings, { log: () => {} });
}

describe("the end of the program", () => {
  it("ends calls that no connection owns, and writes them down", async () => {
    const app = await open();
    const deadline = new Deadline(60_000);
    const end = app.calls.call({
      wanted: { kind: "tool", name: "wait", args: {} },
      caller: { principal: LOCAL },
      io: QUIET,
      deadline,
      consumer: "program",
      requestId: "r",
    });
    await expect.poll(() => app.calls.running()).toBe(1);
    await app.close();
    expect(app.calls.running()).toBe(0);
    expect(await end).toMatchObject({ state: "failed", code: "SHUTTING_DOWN" });
    expect(deadline.reason).toBe("shutdown");
    expect(await readFile(join(folder, "audit.log"), "utf8")).toContain('"name":"wait"');
  });

  it("is the same one for all who ask for it", async () => {
    const app = await open();
    const first = app.close();
    let isOver = false;
    void first.then(() => (isOver = true));
    await app.close();
    expect(isOver).toBe(true);
    await app.close();
  });
});
