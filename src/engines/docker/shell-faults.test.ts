import { afterAll, describe, expect, it } from "vitest";
import { cutSocket } from "./fixtures/cut-socket.ts";
import { docker } from "./fixtures/open-engine.ts";
import { openShells, runIn } from "./fixtures/open-shell.ts";

afterAll(() => docker?.client.close());

describe.skipIf(!docker)("a shell whose daemon", () => {
  it("hangs ends a command all the same, soon after its limit [docker-daemon-faults]", async () => {
    await using socket = await cutSocket();
    const { open, left } = openShells({ host: socket.host });
    const shell = await open();
    const run = runIn(shell);
    expect(await run("true")).toMatchObject({ exitCode: 0 });
    socket.hang();
    const startedAt = performance.now();
    expect(await run("echo never seen", { timeoutMs: 200 })).toMatchObject({ stopped: "timeout", isShellLost: true });
    expect(performance.now() - startedAt).toBeLessThan(12_000);
    await expect(run("true")).rejects.toMatchObject({ code: "SHELL_NOT_FOUND" });
    socket.goOn();
    await shell.gone;
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  }, 30_000);

  it("goes away is lost, and its container is removed when the daemon is back [docker-daemon-faults]", async () => {
    await using socket = await cutSocket();
    const { open, left, engine } = openShells({ host: socket.host });
    const shell = await open();
    const running = runIn(shell)("sleep 60");
    await socket.stop();
    expect(await running).toMatchObject({ isShellLost: true });
    await expect(open()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await socket.start();
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    const next = await open();
    expect(await runIn(next)("echo back")).toMatchObject({ stdout: "back\n" });
    expect(engine.isAvailable()).toBe(true);
    await next.stop();
  }, 30_000);
});
