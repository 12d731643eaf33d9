import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExecutionEngine, Layer } from "../engine.ts";
import { makeLayer } from "../fixtures/layer.ts";
import { done, runBody } from "../fixtures/run-body.ts";
import { jailIsHere } from "./fixtures/jail-is-here.ts";
import { createNodeEngine } from "./node-engine.ts";

const packageOf = (what: string) => ({
  "p/package.json": '{"name":"p","main":"main.js"}',
  "p/main.js": `module.exports = ${JSON.stringify(what)}`,
});

describe.skipIf(!(await jailIsHere()))("layers of the node engine", () => {
  let engine: ExecutionEngine;
  const layers: (Layer & { remove(): void })[] = [];
  beforeAll(() => {
    engine = createNodeEngine();
    layers.push(makeLayer(packageOf("one"), "one"), makeLayer(packageOf("two"), "two"));
  });
  afterAll(async () => {
    await engine.close();
    for (const layer of layers) layer.remove();
  });

  it("are never mixed up between jobs, whoever has a sandbox ready", async () => {
    for (let round = 0; round < 4; round++) {
      const all = await Promise.all(layers.map((layer) => runBody(engine, "return require('p')", { layer })));
      expect(all.map((end) => done(end).resultJson)).toEqual(['"one"', '"two"']);
      const code = "try { return require('p') } catch (e) { return e.code }";
      expect(done(await runBody(engine, code)).resultJson).toBe('"MODULE_NOT_FOUND"');
    }
  });

  it("that are missing are ENGINE_UNAVAILABLE, and the next job is fine", async () => {
    const layer = { key: "gone", folder: "/nowhere/at/all" };
    await expect(runBody(engine, "return 1", { layer })).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    expect(done(await runBody(engine, "return 1")).resultJson).toBe("1");
  });
});
