import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { randomBytes } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { SILENT } from "../../core/source.ts";
import { done, failed, runBody } from "../fixtures/run-body.ts";
import { createDockerBase } from "./docker-base.ts";
import { createLayerVolumes } from "./layers.ts";
import { docker, openEngine } from "./fixtures/open-engine.ts";
import { createMarks } from "./marks.ts";

describe.skipIf(!docker)("packages in containers", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "dynamic-mcp-layer-"));
  const keys: string[] = [];
  const client = () => {
    if (!docker) throw new Error("skipped");
    return docker.client;
  };
  const volumes = async (key: string) =>
    (await client().volumes.list([`dynamic-mcp.layer=${key}`])).map(({ name }) => name).toSorted();

  function makeLayer(files: Record<string, string>) {
    const key = randomBytes(32).toString("hex");
    keys.push(key);
    const place = path.join(folder, key);
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(place, "node_modules", name);
      mkdirSync(path.dirname(file), { recursive: true });
      if (text.startsWith("-> ")) symlinkSync(text.slice(3), file);
      else writeFileSync(file, text);
    }
    return { key, folder: place };
  }
  const store = () => createLayerVolumes({ client: client(), marks: createMarks(), log: SILENT });
  const image = async () => (await client().images.inspect(docker?.images.node ?? "")) ?? { id: "", volumes: [] };

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    for (const key of keys) for (const name of await volumes(key)) await client().volumes.remove(name);
    docker?.client.close();
  });

  it("are there by name, by require and by import, and cannot be changed [docker-layers]", async () => {
    const layer = makeLayer({
      "plain/index.js": "module.exports = { answer: 42 }",
      "@scope/esm/package.json": '{"type":"module","exports":"./deep/main.js"}',
      "@scope/esm/deep/main.js": "export const answer = 43",
    });
    const engine = openEngine({ warm: 0 });
    const body = `
      const fs = require("fs");
      const outcomes = ["plain/index.js", "new.js"].map((file) => {
        try { fs.writeFileSync("/node_modules/" + file, "changed"); return "written"; } catch (e) { return e.code; }
      });
      return [require("plain").answer, (await import("@scope/esm")).answer, ...outcomes]`;
    for (let i = 0; i < 2; i++) {
      const end = done(await runBody(engine, body, { layer, timeoutMs: 15_000 }));
      expect(JSON.parse(end.resultJson)).toEqual([42, 43, "ERR_ACCESS_DENIED", "ERR_ACCESS_DENIED"]);
    }
    expect(failed(await runBody(engine, 'return require("plain")')).code).toBe("CODE_THREW");
    await engine.close();
  });

  it("are filled once, however many ask, also two servers at once", async () => {
    const layer = makeLayer({ "a/index.js": "1" });
    const made = await image();
    const [one, other] = [store(), store()];
    const names = await Promise.all([one, one, one, other, other].map((each) => each.ensure(layer, made)));
    expect(new Set(names).size).toBe(1);
    expect(await volumes(layer.key)).toHaveLength(2);
    expect(await store().ensure(layer, made)).toBe(names[0]);
  });

  it("leave nothing when they cannot be filled, and are never seen half", async () => {
    const layer = makeLayer({ "a/index.js": "1" });
    const made = await image();
    const missing = { ...layer, folder: path.join(folder, "nowhere") };
    await expect(store().ensure(missing, made)).rejects.toThrow();
    expect(await volumes(layer.key)).toEqual([]);
    expect(await store().ensure(layer, made)).not.toBe("");
  });

  it("are filled again when somebody removed them", async () => {
    const layer = makeLayer({ "a/index.js": "module.exports = 7" });
    const engine = openEngine({ warm: 0 });
    const call = () => runBody(engine, 'return require("a")', { layer, timeoutMs: 15_000 });
    expect(done(await call()).resultJson).toBe("7");
    await expect
      .poll(async () => {
        for (const name of await volumes(layer.key)) await client().volumes.remove(name);
        return volumes(layer.key);
      })
      .toEqual([]);
    expect(done(await call()).resultJson).toBe("7");
    await engine.close();
  });

  it("show nothing of this machine through links in them", async () => {
    writeFileSync(path.join(folder, "secret"), "secret of the host");
    const layer = makeLayer({
      "evil/outside": `-> ${path.join(folder, "secret")}`,
      "evil/up": "-> ../../../../../../etc/hostname",
      "evil/index.js": "1",
      "evil/inside": "-> index.js",
    });
    const engine = openEngine({ warm: 0 });
    const body = `
      const fs = require("fs");
      return ["outside", "up", "inside"].map((name) => { try { return fs.readFileSync("/node_modules/evil/" + name, "utf8"); } catch (e) { return e.code; } })`;
    const end = done(await runBody(engine, body, { layer, timeoutMs: 15_000 }));
    expect(JSON.parse(end.resultJson)).toEqual(["ENOENT", "ENOENT", "1"]);
    await engine.close();
  });

  it("are removed when they are old or too many, unless a container uses them", async () => {
    const [old, used] = [makeLayer({ "a/index.js": "1" }), makeLayer({ "a/index.js": "2" })];
    const made = await image();
    await store().ensure(old, made);
    const volume = await store().ensure(used, made);
    const HostConfig = { NetworkMode: "none", Mounts: [{ Type: "volume", Source: volume, Target: "/x", ReadOnly: true }] } as const; // prettier-ignore
    const container = await client().containers.create({ Image: made.id, HostConfig });
    const pruner = createLayerVolumes({ client: client(), marks: createMarks(), log: SILENT, maxAgeMs: -60_000 });
    expect(await pruner.prune()).toBeGreaterThanOrEqual(1);
    expect(await volumes(old.key)).toEqual([]);
    expect(await volumes(used.key)).toHaveLength(2);
    await client().containers.remove(container);
  });

  it("are no more than allowed after one was added", async () => {
    const [first, second] = [makeLayer({ "a/index.js": "1" }), makeLayer({ "a/index.js": "2" })];
    const made = await image();
    const narrow = createLayerVolumes({ client: client(), marks: createMarks(), log: SILENT, maxLayers: 1 });
    await narrow.ensure(first, made);
    await narrow.ensure(second, made);
    await expect.poll(() => volumes(first.key), { timeout: 5_000 }).toEqual([]);
    expect(await volumes(second.key)).toHaveLength(2);
    expect(await narrow.ensure(second, made)).not.toBe("");
  });

  it("are kept by a base that is closed: the next server finds them", async () => {
    const layer = makeLayer({ "a/index.js": "1" });
    const base = createDockerBase({ defaultImage: docker?.images.node ?? "" });
    await base.layers.ensure(layer, await image());
    await base.close();
    await createDockerBase().reaper.sweep();
    expect(await volumes(layer.key)).toHaveLength(2);
  });
});
