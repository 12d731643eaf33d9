import { afterEach, describe, expect, it } from "vitest";
import type { ExecutionEngine } from "../engine.ts";
import { done, failed, runBody } from "../fixtures/run-body.ts";
import { createNodeEngine, type NodeEngineOptions } from "./node-engine.ts";

const NO_JAIL: NodeEngineOptions = { jail: { bubblewrap: "/nowhere/bwrap" } };

describe("the node engine where no jail can be made", () => {
  let engine: ExecutionEngine;
  afterEach(() => engine.close());

  it("runs nothing, and says what to install and which setting takes the risk [engine-no-jail-refused]", async () => {
    engine = createNodeEngine(NO_JAIL);
    const health = await engine.probe();
    expect(health).toMatchObject({ name: "node", isAvailable: false });
    if (process.platform === "linux") expect(health.problem).toMatch(/install the package bubblewrap/);
    expect(health.problem).toMatch(/MCP_NODE_WITHOUT_JAIL \(--node-without-jail\)/);
    await expect(runBody(engine, "return 1")).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: health.problem,
    });
  });

  it.skipIf(process.platform !== "linux")("says so when even looking for one fails", async () => {
    engine = createNodeEngine({ ...NO_JAIL, allowWithoutJail: true, jail: { bubblewrap: "/bin/true" } });
    const { execPath } = process;
    try {
      process.execPath = "/nowhere/node"; // as after an upgrade of Node under a running server
      expect(await engine.probe()).toMatchObject({
        isAvailable: false,
        problem: expect.stringContaining("/nowhere") as string,
      });
      await expect(runBody(engine, "return 1")).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    } finally {
      process.execPath = execPath;
    }
  });

  describe("and the operator allows it", () => {
    it("runs code, and calls itself no security boundary", async () => {
      engine = createNodeEngine({ ...NO_JAIL, allowWithoutJail: true });
      const health = await engine.probe();
      expect(health).toMatchObject({ isAvailable: true, level: "Node's permissions only, not a security boundary" });
      expect(health.detail).toMatchObject({ jail: "none" });
      const code =
        "return [require('node:path').join('a', 'b'), typeof (await import('node:fs')).readFileSync, args.n]";
      expect(done(await runBody(engine, code, { args: { n: 1 } })).resultJson).toBe('["a/b","function",1]');
    });

    it.each([
      ["files", "return require('fs').readFileSync('/etc/hosts', 'utf8')"],
      ["writing", "require('fs').writeFileSync(require('os').tmpdir() + '/dynamic-mcp-x', 'x')"],
      ["child processes", "return require('child_process').execSync('id').toString()"],
      ["workers", "new (require('worker_threads').Worker)('1', { eval: true })"],
    ])("gives no %s all the same", async (_, code) => {
      engine = createNodeEngine({ ...NO_JAIL, allowWithoutJail: true });
      expect(failed(await runBody(engine, code)).code).toBe("CODE_THREW");
    });

    it("gives nothing of our environment, and ends what runs too long", async () => {
      engine = createNodeEngine({ ...NO_JAIL, allowWithoutJail: true });
      expect(done(await runBody(engine, "return Object.keys(process.env)")).resultJson).toBe('["TZ"]');
      expect(failed(await runBody(engine, "for (;;);", { timeoutMs: 300 })).code).toBe("TIMEOUT");
    });
  });
});
