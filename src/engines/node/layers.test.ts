import { cpSync, mkdirSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExecutionEngine, Layer } from "../engine.ts";
import { makeLayer } from "../fixtures/layer.ts";
import { done, runBody } from "../fixtures/run-body.ts";
import { jailIsHere } from "./fixtures/jail-is-here.ts";
import { processesBelow } from "./fixtures/processes.ts";
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

  it("that were removed and made anew are those that the next job sees, whoever was ready for the old ones", async () => {
    const [layer, other] = layers;
    if (!layer || !other) throw new Error("no layers");
    const own = makeLayer({}, "replaced");
    const modules = `${own.folder}/node_modules`;
    try {
      cpSync(`${layer.folder}/node_modules`, modules, { recursive: true });
      expect(done(await runBody(engine, "return require('p')", { layer: own })).resultJson).toBe('"one"');
      const before = processesBelow(process.pid);
      const isReady = () => {
        const jails = [...processesBelow(process.pid)].filter(([pid, command]) => command.includes(own.folder) && !before.has(pid)); // prettier-ignore
        return jails.some(([pid]) =>
          [...processesBelow(pid).values()].some((each) => each.startsWith("/usr/bin/node ")),
        );
      };
      await expect.poll(isReady).toBe(true);
      rmSync(modules, { recursive: true });
      mkdirSync(modules);
      cpSync(`${other.folder}/node_modules`, modules, { recursive: true });
      expect(done(await runBody(engine, "return require('p')", { layer: own })).resultJson).toBe('"two"');
    } finally {
      own.remove();
    }
  });

  it("that are missing are ENGINE_UNAVAILABLE, and the next job is fine", async () => {
    const layer = { key: "gone", folder: "/nowhere/at/all" };
    await expect(runBody(engine, "return 1", { layer })).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    expect(done(await runBody(engine, "return 1")).resultJson).toBe("1");
  });
});
