import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import type { ExecutionEngine, JobEnd } from "../engine.ts";
import { jobOf } from "./fixtures/jobs.ts";
import { createQuickjsEngine, type QuickjsEngineOptions } from "./quickjs-engine.ts";

const open: { engine: ExecutionEngine; deadline: Deadline }[] = [];
afterEach(async () => {
  for (const { engine, deadline } of open.splice(0)) {
    await engine.close();
    deadline.close();
  }
});

/** One process, whose jobs share the deadline of one call. */
function openEngine(options: QuickjsEngineOptions = {}) {
  const engine = createQuickjsEngine({ maxProcesses: 1, maxChildren: 1, ...options });
  const deadline = new Deadline(20_000);
  open.push({ engine, deadline });
  const run = (js: string, runMs: number): Promise<JobEnd> => {
    const [job, host] = jobOf(js);
    return engine.run({ ...job, runMs }, host, deadline);
  };
  return { run, deadline };
}

describe("a job that waits for a free sandbox", () => {
  it("has its own time limit whole when it starts [engine-waiting-free]", async () => {
    const { run } = openEngine();
    await run("return 0", 5_000);
    const [first, second, third] = await Promise.all([
      run("for (;;);", 400),
      run("return 1", 150),
      run("for (;;);", 150),
    ]);
    expect(first).toMatchObject({ code: "TIMEOUT", message: "stopped at the time limit of 400 ms" });
    expect(second).toMatchObject({ state: "done", resultJson: "1" });
    expect(third).toMatchObject({ code: "TIMEOUT", message: "stopped at the time limit of 150 ms" });
  });

  it("is refused after a while with when to come back, and the next one is fine", async () => {
    const { run } = openEngine({ maxWaitMs: 1_000 });
    await run("return 0", 5_000);
    const long = run("for (;;);", 1_500);
    await expect(run("return 1", 5_000)).rejects.toMatchObject({
      code: "OVERLOADED",
      data: { waitedMs: 1_000, retryAfterMs: 1_000 },
    });
    expect(await long).toMatchObject({ code: "TIMEOUT" });
    expect(await run("return 2", 5_000)).toMatchObject({ state: "done", resultJson: "2" });
  });

  it("ends with its call", async () => {
    const { run, deadline } = openEngine();
    await run("return 0", 5_000);
    const both = Promise.all([run("for (;;);", 10_000), run("return 1", 10_000)]);
    deadline.end("client");
    const [running, waiting] = await both;
    expect(running).toMatchObject({ code: "CANCELLED" });
    expect(waiting).toMatchObject({
      code: "CANCELLED",
      message: "the client cancelled the call while it waited for a free sandbox",
    });
  });
});
