import { afterEach, describe, expect, it } from "vitest";
import type { MemoryWatch } from "../../machine/memory-watch.ts";
import { NO_ACCESS } from "../engine.ts";
import { ROOMY } from "../fixtures/run-body.ts";
import { KIND, pack, unpack } from "../process/protocol.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";

describe("the watch over the memory of a sandbox", () => {
  let sandbox: Sandbox | undefined;
  afterEach(async () => {
    sandbox?.child.kill();
    await sandbox?.child.exited;
  });

  it("looks from the beginning of a job to its end, and not while none runs", async () => {
    const watched: (number | undefined)[] = [];
    const watch: MemoryWatch = {
      watch(pid) {
        watched.push(pid);
        return () => void watched.splice(0);
      },
    };
    let isReady = false;
    const onFrame = (bytes: Uint8Array) => void (isReady ||= unpack(bytes).kind === KIND.ready);
    sandbox = startSandbox({ watch }, { limits: ROOMY }, onFrame, () => {});
    const { child } = sandbox;
    child.hold(true);
    await expect.poll(() => isReady).toBe(true);
    await sandbox.confine();
    expect(watched).toEqual([]);

    const code = Buffer.from("for (;;);");
    const head = { limits: ROOMY, seed: "", startedAtMs: 0, may: NO_ACCESS, file: "job", remainingMs: 60_000 };
    child.send(pack(KIND.job, { ...head, codeBytes: code.byteLength }, code, Buffer.from("{}")));
    child.send(pack(KIND.end, {}));
    expect(watched).toEqual([child.pid]);
    child.kill();
    await child.exited;
    expect(watched).toEqual([]);
  });
});
