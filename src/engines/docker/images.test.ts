import { afterAll, describe, expect, it } from "vitest";
import { testDocker } from "../../../test/support/docker.ts";
import { Deadline } from "../../core/deadline.ts";
import { SILENT } from "../../core/source.ts";
import { createDockerClient } from "../../machine/docker/docker.ts";
import { tar } from "../../machine/docker/tar.ts";
import { runBody } from "../fixtures/run-body.ts";
import { createDockerBase } from "./docker-base.ts";
import { createDockerEngine } from "./docker-engine.ts";
import { openEngine } from "./fixtures/open-engine.ts";
import { startRegistry } from "./fixtures/registry.ts";
import { createImageFinder, type ImageFinderOptions } from "./images.ts";

const docker = await testDocker("node", "plain", "bare");
const registry = docker && (await startRegistry());

describe.skipIf(!docker)("images that are there", () => {
  const client = docker?.client ?? createDockerClient();
  const { node = "", plain = "", bare = "" } = docker?.images ?? {};
  const find = (name: string, options: Partial<ImageFinderOptions> = {}) =>
    createImageFinder({ client, allowed: [], pull: "never", log: SILENT, ...options }).find(name, new Deadline(10_000));

  it("are found by name and id", async () => {
    const { id } = await find(node);
    expect((await find(id)).id).toBe(id);
    expect((await find(node, { allowed: [id] })).id).toBe(id);
  });

  it.each([
    ["another name", { allowed: ["node:22"] }],
    ["another id", { allowed: [`sha256:${"0".repeat(64)}`] }],
    ["another digest of the name", { allowed: [`${node.split(":")[0]}@sha256:${"0".repeat(64)}`] }],
  ])("are refused when only %s is allowed [docker-images]", async (_, options) => {
    await expect(find(node, options)).rejects.toMatchObject({ code: "IMAGE_NOT_ALLOWED" });
  });

  it("are not fetched when that is off", async () => {
    await expect(find("dynamic-mcp-test/none:1")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  });

  it.each(["../info", "a b", "", "x?all=1"])("%j is not even asked for", async (name) => {
    await expect(find(name)).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  });

  it("can be used without a shell, and not without Node", async () => {
    const engine = openEngine({ warm: 0 });
    expect(await runBody(engine, "return 1", { image: bare, timeoutMs: 15_000 })).toMatchObject({ state: "done" });
    await expect(runBody(engine, "return 1", { image: plain, timeoutMs: 15_000 })).rejects.toMatchObject({ code: "IMAGE_UNUSABLE" }); // prettier-ignore
    await expect(runBody(engine, "return 1", { image: "dynamic-mcp-test/none:1" })).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" }); // prettier-ignore
    await engine.close();
  }, 30_000);

  it("may move to another name without a warm container following", async () => {
    const name = "dynamic-mcp-test/moving:1";
    const move = (image: string) => client.images.tag(image, { repository: "dynamic-mcp-test/moving", tag: "1" });
    await move(node);
    const base = createDockerBase();
    const engine = createDockerEngine(base, { warm: 1 });
    const call = () => runBody(engine, "return 1", { image: name, timeoutMs: 15_000 });
    expect(await call()).toMatchObject({ state: "done" });
    await move(plain);
    // What was found is believed for some seconds: until then it is the image of before, warm or not.
    expect(await call()).toMatchObject({ state: "done" });
    base.images.forget(name);
    await expect(call()).rejects.toMatchObject({ code: "IMAGE_UNUSABLE" });
    await engine.close();
    await base.close();
    await client.images.remove(name);
  }, 40_000);
});

describe.skipIf(!docker)("an image that was removed", () => {
  it("is looked for again: the call finds the one that has its name now", async () => {
    const name = "dynamic-mcp-test/again:1";
    const client = createDockerClient();
    const make = async (text: string) => {
      const id = await client.containers.create({ Image: docker?.images.node ?? "", Cmd: ["true"] });
      await client.containers.putArchive(id, "/etc", tar([{ kind: "file", name: "made", mode: 0o644, size: text.length, content: [Buffer.from(text)] }])); // prettier-ignore
      await client.containers.commit(id, { repository: "dynamic-mcp-test/again", tag: "1" });
      await client.containers.remove(id);
    };
    await make("one");
    const engine = openEngine({ warm: 0, pull: "never" });
    const call = () => runBody(engine, "return 1", { image: name, timeoutMs: 15_000 });
    expect(await call()).toMatchObject({ state: "done" });
    // The container that was just used may not have gone yet.
    const isGone = async () => {
      await client.images.remove(name).catch(() => {});
      return (await client.images.inspect(name)) === undefined;
    };
    await expect.poll(isGone, { timeout: 5_000 }).toBe(true);
    await make("two");
    expect(await call()).toMatchObject({ state: "done" });
    await expect.poll(isGone, { timeout: 5_000 }).toBe(true);
    await expect(call()).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    await engine.close();
    client.close();
  }, 30_000);
});

describe.skipIf(!docker || !registry)("images of a registry", () => {
  const client = docker?.client ?? createDockerClient();
  const plain = docker?.images.plain ?? "";
  const at = (name: string) => `${registry?.address}/${name}`;
  const finder = (options: Partial<ImageFinderOptions> = {}) =>
    createImageFinder({ client, allowed: [], pull: "missing", log: SILENT, ...options });
  const publish = async (name: string, tag: string) => {
    await client.images.tag(plain, { repository: at(name), tag });
    await client.images.push(`${at(name)}:${tag}`);
    const digest = (await client.images.inspect(`${at(name)}:${tag}`))?.digests.find((one) => one.startsWith(at(name)));
    await client.images.remove(`${at(name)}:${tag}`);
    return digest ?? "";
  };
  // The test image itself keeps the layers here; what is fetched must not be there under any name.
  const unload = async () => {
    for (const { names } of await client.images.list([])) {
      for (const name of names) if (name.startsWith(`${registry?.address}/`)) await client.images.remove(name);
    }
  };

  afterAll(async () => {
    await unload();
    await registry?.close();
    client.close();
  });

  it("are fetched by tag and by digest, once, and told of", async () => {
    const digest = await publish("tool", "1");
    const images = finder();
    const told: string[] = [];
    const all = [1, 2, 3].map(() => images.find(`${at("tool")}:1`, new Deadline(20_000), (text) => told.push(text)));
    const [first, ...others] = await Promise.all(all);
    expect(others.every(({ id }) => id === first?.id)).toBe(true);
    expect(told[0]).toContain(at("tool"));
    await client.images.remove(`${at("tool")}:1`);
    expect((await finder({ allowed: [digest] }).find(digest, new Deadline(20_000))).id).toBe(first?.id);
    // By another name it is allowed when it is there, and never fetched: that would be a call to wherever a name says.
    const strict = () => finder({ allowed: [digest] }).find(`${at("tool")}:1`, new Deadline(20_000));
    await expect(strict()).rejects.toMatchObject({ code: "IMAGE_NOT_ALLOWED" });
    await finder().find(`${at("tool")}:1`, new Deadline(20_000));
    expect((await strict()).id).toBe(first?.id);
  }, 30_000);

  it.each([
    ["a name that the registry does not have", () => `${at("none")}:1`],
    ["a tag that it does not have", () => `${at("tool")}:none`],
    ["a digest that it does not have", () => `${at("tool")}@sha256:${"0".repeat(64)}`],
    ["a registry that is not there", () => "127.0.0.1:1/tool:1"],
  ])("are not found: %s", async (_, name) => {
    await expect(finder().find(name(), new Deadline(20_000))).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  });

  it("that could not be fetched are not asked for again at once, unless they come by another way", async () => {
    const name = `${at("late")}:1`;
    const warnings: unknown[] = [];
    const log = { ...SILENT, warn: (facts: unknown) => void warnings.push(facts) };
    const images = finder({ log });
    const patient = finder({ log: SILENT, failureMs: 0 });
    const NOT_FOUND = { code: "IMAGE_NOT_FOUND" };
    await expect(images.find(name, new Deadline(20_000))).rejects.toMatchObject(NOT_FOUND);
    await expect(patient.find(name, new Deadline(20_000))).rejects.toMatchObject(NOT_FOUND);
    await publish("late", "1");
    for (let i = 0; i < 3; i++) await expect(images.find(name, new Deadline(20_000))).rejects.toMatchObject(NOT_FOUND);
    expect(warnings).toHaveLength(1);
    await client.images.tag(plain, { repository: at("late"), tag: "1" });
    expect((await images.find(name, new Deadline(20_000))).names).toContain(name);
    await client.images.remove(name);
    expect((await patient.find(name, new Deadline(20_000))).names).toContain(name);
  }, 30_000);

  it("that could not be fetched are asked for again when they are forgotten", async () => {
    const name = `${at("later")}:1`;
    const images = finder();
    await expect(images.find(name, new Deadline(20_000))).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    await publish("later", "1");
    images.forget(name);
    expect((await images.find(name, new Deadline(20_000))).names).toContain(name);
  }, 30_000);

  it("are not fetched when they are not allowed", async () => {
    await publish("other", "1");
    const before = registry?.blobs();
    const strict = finder({ allowed: [`${at("tool")}:1`] });
    await expect(strict.find(`${at("other")}:1`, new Deadline(20_000))).rejects.toMatchObject({ code: "IMAGE_NOT_ALLOWED" }); // prettier-ignore
    expect(registry?.blobs()).toBe(before);
  });

  it("that come slowly end with who waits for them, and only with the last of these", async () => {
    const name = await publishFresh("slow");
    registry?.stall();
    const images = finder();
    const short = new Deadline(700);
    const first = images.find(name, short);
    const patient = new Deadline(30_000);
    const told: string[] = [];
    const second = images.find(name, patient, (text) => told.push(text));
    await expect(first).rejects.toMatchObject({ code: "TIMEOUT" });
    await expect.poll(() => told.length, { timeout: 10_000 }).toBeGreaterThan(0);
    patient.end("client");
    await expect(second).rejects.toMatchObject({ code: "CANCELLED" });
    registry?.goOn();
    expect((await images.find(name, new Deadline(20_000))).names).toContain(name);
  }, 60_000);

  /** With a layer that this daemon does not have. */
  async function publishFresh(name: string): Promise<string> {
    const full = `${at(name)}:1`;
    const bytes = Buffer.alloc(2_000_000, Math.random().toString(36));
    const file = { kind: "file", name: "big", mode: 0o644, size: bytes.byteLength, content: [bytes] } as const;
    await client.images.import(tar([file]), { name: full, changes: [] });
    await client.images.push(full);
    await client.images.remove(full);
    return full;
  }
});
