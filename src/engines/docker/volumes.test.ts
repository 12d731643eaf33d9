import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDockerClient } from "../../machine/docker/docker.ts";
import type { ContainerSpec } from "../../machine/docker/containers.ts";
import { tar } from "../../machine/docker/tar.ts";
import { done, runBody } from "../fixtures/run-body.ts";
import { docker, openEngine } from "./fixtures/open-engine.ts";
import { sandboxSpec } from "./spec.ts";

const REPOSITORY = "dynamic-mcp-test/volumes";
const LABEL = "dynamic-mcp.volumes-test";

/** The daemon makes a volume on its disk for each `VOLUME` of an image, whatever else a container may write. */
describe.skipIf(!docker)("an image that declares volumes", () => {
  const client = docker?.client ?? createDockerClient();
  const limits = { memoryMiB: 128, cpus: 1, pids: 64, cpuSeconds: 10, tmpMiB: 4 };

  /** The image with Node, and folders that everybody may write. */
  async function makeImage(tag: string, ...changes: string[]): Promise<string> {
    const id = await client.containers.create({ Image: docker?.images.node ?? "", Labels: { [LABEL]: "1" } });
    const folders = ["data", "deep", "deep/er"].map((name) => ({ kind: "folder", name, mode: 0o1777 }) as const);
    await client.containers.putArchive(id, "/", tar(folders));
    await client.containers.commit(id, { repository: REPOSITORY, tag, changes });
    await client.containers.remove(id);
    return `${REPOSITORY}:${tag}`;
  }
  let volumes: readonly string[] = [];
  beforeAll(async () => {
    const name = await makeImage("many", "VOLUME /data", "VOLUME /deep/er/", "VOLUME /tmp", "VOLUME /node_modules");
    volumes = (await client.images.inspect(name))?.volumes ?? [];
    await makeImage("odd", "VOLUME data");
  });
  afterAll(async () => {
    for (const { id } of await client.containers.list([LABEL])) await client.containers.remove(id);
    for (const tag of ["many", "odd"]) await client.images.remove(`${REPOSITORY}:${tag}`);
    client.close();
  });

  async function run(spec: ContainerSpec): Promise<string> {
    const id = await client.containers.create(spec);
    let told = "";
    const onStdout = (chunk: Uint8Array) => void (told += Buffer.from(chunk).toString("utf8"));
    const stream = await client.containers.attach(id, { onStdout, onStderr() {} });
    await client.containers.start(id);
    await stream.ended;
    await client.containers.remove(id);
    return told.trim();
  }
  const ours = (script: string, declared: readonly string[]) =>
    sandboxSpec({
      imageId: `${REPOSITORY}:many`,
      volumes: declared,
      command: ["sh", "-c", script],
      limits,
      labels: { [LABEL]: "1" },
      ipc: "none",
    });

  it.each(["/data", "/deep/er"])("gives no place to write at %s, as it does by default", async (folder) => {
    const script = `head -c 10000000 /dev/zero > ${folder}/fill 2>/dev/null && echo filled || echo refused`;
    expect(await run(ours(script, []))).toBe("filled");
    expect(await run(ours(script, volumes))).toBe("refused");
  });

  it("keeps its own small /tmp where the image wants a volume", async () => {
    const script = "echo x > /tmp/x && head -c 10000000 /dev/zero > /tmp/fill 2>/dev/null && echo filled || echo full";
    expect(await run(ours(script, volumes))).toBe("full");
  });

  it("runs jobs, with packages in the place of its volume", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "dynamic-mcp-volumes-"));
    mkdirSync(path.join(folder, "node_modules/answer"), { recursive: true });
    writeFileSync(path.join(folder, "node_modules/answer/index.js"), "module.exports = 42");
    const layer = { key: randomBytes(32).toString("hex"), folder };
    const engine = openEngine({ defaultImage: `${REPOSITORY}:many`, warm: 0 });
    const call = async (body: string, more = {}) => done(await runBody(engine, body, { timeoutMs: 15_000, ...more }));
    expect((await call("return 1")).resultJson).toBe("1");
    expect((await call('return require("answer")', { layer })).resultJson).toBe("42");
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  it("is refused with a reason when no container can have them", async () => {
    const engine = openEngine({ defaultImage: `${REPOSITORY}:odd`, warm: 0 });
    await expect(runBody(engine, "return 1")).rejects.toMatchObject({ code: "IMAGE_UNUSABLE" });
    await engine.close();
  });
});
