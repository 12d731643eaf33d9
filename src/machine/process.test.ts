import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { processStart } from "./process-identity.ts";
import { type Child, type ChildOptions, spawnChild } from "./process.ts";

/** A child that runs `script`; `send(bytes)` in it writes one frame. */
function spawnScript(script: string, options: Partial<ChildOptions> = {}): { child: Child; next(): Promise<string> } {
  const frames: string[] = [];
  let wake = () => {};
  const prelude =
    "const c = new (require('node:net').Socket)({ fd: 3, readable: true, writable: true });" +
    "const send = (t) => { const b = Buffer.from(t); const h = Buffer.alloc(4); h.writeUInt32BE(b.length); c.write(Buffer.concat([h, b])); };";
  const child = spawnChild({
    command: process.execPath,
    args: ["-e", prelude + script],
    env: { ONLY: "this" },
    maxFrameBytes: 1_000,
    stderrBytes: 20,
    onFrame: (frame) => {
      frames.push(Buffer.from(frame).toString());
      wake();
    },
    ...options,
  });
  child.hold(true);
  return {
    child,
    async next() {
      while (frames.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return frames.shift() ?? "";
    },
  };
}

describe("a child process", () => {
  it("sees the environment it is given and nothing else", async () => {
    const { child, next } = spawnScript("send(JSON.stringify(process.env))");
    expect(JSON.parse(await next())).toEqual({ ONLY: "this" });
    child.kill();
    expect(await child.exited).toMatchObject({ reason: "killed", signal: "SIGKILL" });
  });

  it("gets frames and answers", async () => {
    const { child, next } = spawnScript("c.on('data', (d) => send('got ' + d.subarray(4)))");
    child.send([Buffer.from("one "), Buffer.from("two")]);
    expect(await next()).toBe("got one two");
    child.kill();
    await child.exited;
  });

  it("is ended when it sends too large a frame", async () => {
    const { child, next } = spawnScript("send('x'.repeat(1000)); send('x'.repeat(1001))");
    expect(await next()).toHaveLength(1_000);
    expect(await child.exited).toMatchObject({ reason: "overflow" });
  });

  it("leaves the end of what it said when it ends by itself", async () => {
    const { child } = spawnScript("console.error('0123456789'.repeat(5) + ' the end'); process.exit(3)");
    expect(await child.exited).toEqual({ reason: "exited", code: 3, signal: null, stderr: "90123456789 the end" });
    child.kill();
    child.send([Buffer.from("nobody hears")]);
  });

  it.skipIf(process.platform === "win32").each(["killed", "exited"])(
    "is gone when it has %s, though one that it had started lives and has its channel, which then closes",
    async (reason) => {
      const heir = "new (require('node:net').Socket)({ fd: 3 }).on('close', () => process.exit()).resume()";
      const script = `const heir = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(heir)}], { detached: true, stdio: ['ignore', 'ignore', 2, 3] }); send(String(heir.pid)); heir.unref(); c.on('data', () => process.exit())`; // prettier-ignore
      const { child, next } = spawnScript(script);
      const pid = Number(await next());
      if (reason === "killed") child.kill();
      else child.send([Buffer.from("go")]);
      expect(await child.exited).toMatchObject({ reason });
      await expect.poll(() => processStart(pid)).toBeUndefined();
    },
  );

  it("says why it could not be started", async () => {
    const { child } = spawnScript("", { command: "/nowhere/at/all" });
    expect(await child.exited).toMatchObject({ reason: "unspawned", code: null });
    expect((await child.exited).stderr).toContain("ENOENT");
    child.kill();
  });

  it.skipIf(process.platform === "win32")("is unspawned, and nobody falls, when descriptors have run out", async () => {
    const program = fileURLToPath(new URL("./fixtures/out-of-descriptors.ts", import.meta.url));
    const few = ["-c", 'ulimit -n 60; exec "$@"', "sh", process.execPath, program];
    const { stdout } = await promisify(execFile)("sh", few);
    expect(JSON.parse(stdout)).toMatchObject({
      reason: "unspawned",
      stderr: expect.stringContaining("EMFILE") as string,
    });
  });
});
