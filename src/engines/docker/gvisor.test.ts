import { describe, expect, it } from "vitest";
import { done, failed, runBody } from "../fixtures/run-body.ts";
import { docker, openEngine } from "./fixtures/open-engine.ts";

const runtimes = (await docker?.client.info())?.runtimes ?? [];

describe.skipIf(!docker)("the docker engine with a runtime of the operator's", () => {
  it.skipIf(!runtimes.includes("runsc"))(
    "runs in gVisor, and says so",
    async () => {
      const engine = openEngine({ runtime: "runsc", warm: 0 });
      const kernel = "return require('os').version()";
      expect(done(await runBody(engine, kernel, { timeoutMs: 30_000 })).resultJson).not.toContain(process.version);
      expect(failed(await runBody(engine, "for (;;);", { runMs: 300, timeoutMs: 30_000 })).code).toBe("TIMEOUT");
      expect((await engine.probe()).level).toContain("kernel of its own");
      await engine.close();
    },
    60_000,
  );

  it("says what to do when the daemon does not know it", async () => {
    const engine = openEngine({ runtime: "no-such-runtime" });
    const health = await engine.probe();
    expect(health.isAvailable).toBe(false);
    expect(health.problem).toContain("no-such-runtime");
    await expect(runBody(engine, "return 1")).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await engine.close();
  });
});
