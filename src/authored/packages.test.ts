import { describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import * as zod from "../core/zod.ts";
import type { Job } from "../engines/engine.ts";
import { createAuthored } from "./create-authored.ts";
import { runOnceDraft, toolDraft, toolPatch } from "./definition.ts";
import { createFakePackages } from "./fixtures/reach.ts";
import { createTestServices } from "./fixtures/services.ts";

const by = { principal: "alice", deadline: new Deadline(60_000) };
const MS = { name: "ms", version: "^1.0.0" };
const TOOL = { name: "t", description: "d", code: "return 1", dependencies: [MS] };
const draft = (fields: JsonObject = {}) => toolDraft(zod).parse({ ...TOOL, ...fields });
const patch = (fields: JsonObject) => toolPatch(zod).parse(fields);

/** Packages run in docker here, unless they can be bundled. */
async function open({ bundles = false } = {}) {
  const { services, store, engine } = createTestServices();
  const fake = createFakePackages();
  /** And every layer with it. @returns brings it back */
  const takeRegistryAway = () => {
    const { resolve, layer } = fake.packages;
    const away = () => Promise.reject(new DynamicMcpError("REGISTRY_UNAVAILABLE", "the registry is away"));
    Object.assign(fake.packages, { resolve: away, layer: away });
    return () => void Object.assign(fake.packages, { resolve, layer });
  };
  const jobs: Job[] = [];
  const recording = { ...engine, run: (...[job, host, deadline]: Parameters<typeof engine.run>) => (jobs.push(job), engine.run(job, host, deadline)) }; // prettier-ignore
  const authored = await createAuthored({
    ...services,
    packages: fake.packages,
    engines: { quickjs: recording, docker: recording },
    bundle: async () => (bundles ? { js: "({})", digest: "d" } : { reason: "it is large" }),
    async chooseEngine({ dependencies, bundle }) {
      const problem = dependencies.length === 0 ? undefined : await bundle?.();
      return { engine: problem === undefined ? "quickjs" : "docker", level: "test", why: problem ?? "small" };
    },
  });
  return { ...fake, ...authored, jobs, store, takeRegistryAway };
}

async function call({ source }: Awaited<ReturnType<typeof open>>, principal = "bob") {
  const caller = { principal: { id: principal, kind: "user", isAdmin: false } } as const;
  const item = source.items("tool", caller)[0]?.load();
  if (!item) throw new Error("no tool is listed");
  const io = { can: { elicitForm: false, elicitUrl: false, sampling: false, roots: false }, ask: async () => ({}), progress() {}, log() {} }; // prettier-ignore
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const ctx = { caller, deadline: new Deadline(5_000), io, log, callId: "c", depth: 0, callTool: () => Promise.reject(new Error("no tools")) }; // prettier-ignore
  return source.run({ kind: "tool", item, args: {} }, ctx);
}

describe("packages of a tool", () => {
  it("are locked when it is made, and a call resolves nothing", async () => {
    const world = await open();
    const { tool } = await world.tools.create(draft(), by);
    expect(tool.packages).toEqual(["ms@1.0.0"]);
    world.publish("1.1.0");
    await call(world);
    expect(world.seen.resolved).toBe(1);
    expect(world.seen.layers.at(-1)).toMatchObject({ packages: [{ name: "ms", version: "1.0.0" }] });
    expect(world.jobs.at(-1)).toMatchObject({ layer: { folder: "/layers/x" }, scope: "bob", image: "node:lts-slim" });
    expect(world.seen.open).toBe(0);
  });

  it("say what their author should know: a script that is not run", async () => {
    const world = await open();
    const resolve = world.packages.resolve;
    world.packages.resolve = async (...wanted) => {
      const { packages } = await resolve(...wanted);
      return { packages: packages.map((each) => ({ ...each, hasScripts: true })), warnings: ["for Node 99"] };
    };
    const { tool } = await world.tools.create(draft(), by);
    expect(tool.warnings).toEqual(["for Node 99", "install scripts are never run: ms"]);
  });

  it("stay as they are when something else is changed, and are resolved anew when they are named", async () => {
    const world = await open();
    await world.tools.create(draft(), by);
    world.publish("1.1.0");
    expect((await world.tools.update("t", patch({ description: "e" }), by)).tool.packages).toEqual(["ms@1.0.0"]);
    expect((await world.tools.update("t", patch({ dependencies: [MS] }), by)).tool.packages).toEqual(["ms@1.1.0"]);
    expect(world.seen.resolved).toBe(2);
  });

  it("need no registry, no packages and no engine anew while nothing that runs is changed", async () => {
    for (const bundles of [false, true]) {
      const world = await open({ bundles });
      const { tool: before } = await world.tools.create(draft(), by);
      world.takeRegistryAway();
      const change = patch({ description: "e", title: "T", annotations: { readOnlyHint: true }, outputSchema: {} });
      const { tool, isWritten } = await world.tools.update("t", change, by);
      expect(isWritten).toBe(true);
      expect(tool).toMatchObject({ description: "e", packages: ["ms@1.0.0"], engine: before.engine });
      await world.tools.enable("t", false, by);
      await world.tools.enable("t", true, by);
      const dry = await world.tools.update("t", patch({ description: "f" }), by, { dryRun: true });
      expect(dry).toMatchObject({ isWritten: false, tool: { description: "f", engine: before.engine } });
      // What runs is decided anew.
      const away = { code: "REGISTRY_UNAVAILABLE" };
      await expect(world.tools.update("t", patch({ code: "return 3" }), by)).rejects.toMatchObject(away);
      await expect(world.tools.update("t", patch({ dependencies: [MS] }), by)).rejects.toMatchObject(away);
    }
  });

  it("are as they were when only examples and schemas change, which then run with them", async () => {
    const world = await open({ bundles: true });
    await world.tools.create(draft(), by);
    world.takeRegistryAway();
    const { examples } = await world.tools.update("t", patch({ examples: [{ args: {}, result: 1 }] }), by);
    expect(examples).toMatchObject([{ result: 1 }]);
    expect(world.jobs.at(-1)).toMatchObject({ bundle: { js: "({})" } });
    await expect(world.tools.update("t", patch({ outputSchema: { type: "string" } }), by)).rejects.toMatchObject({
      code: "EXAMPLE_FAILED",
    });
  });

  it("come back with a rollback also while the registry is away: a call then installs them", async () => {
    const world = await open();
    const { tool: first } = await world.tools.create(draft(), by);
    await world.tools.update("t", patch({ dependencies: [], code: "return 2" }), by);
    const comeBack = world.takeRegistryAway();
    const { tool } = await world.tools.rollback("t", 1, by);
    expect(tool).toMatchObject({ revision: 3, packages: ["ms@1.0.0"], engine: first.engine });
    await expect(call(world)).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    comeBack();
    expect(await call(world)).toMatchObject({ structuredContent: { result: 1 } });
    expect(world.seen.resolved).toBe(1);
  });

  it("keep their bundle in a rollback, which then installs nothing", async () => {
    const world = await open({ bundles: true });
    await world.tools.create(draft(), by);
    await world.tools.update("t", patch({ dependencies: [], code: "return 2" }), by);
    const before = world.seen.layers.length;
    await world.tools.rollback("t", 1, by);
    expect(world.seen.layers).toHaveLength(before);
    await call(world);
    expect(world.jobs.at(-1)).toMatchObject({ bundle: { js: "({})" } });
  });

  it("come back with the revision that a rollback brings back", async () => {
    const world = await open();
    await world.tools.create(draft(), by);
    world.publish("2.0.0");
    await world.tools.update("t", patch({ dependencies: [MS] }), by);
    const { tool } = await world.tools.rollback("t", 1, by);
    expect(tool).toMatchObject({ revision: 3, packages: ["ms@1.0.0"] });
    expect(world.seen.resolved).toBe(2);
  });

  it("travel as a bundle where they are small, and need no layer then", async () => {
    const world = await open({ bundles: true });
    expect((await world.tools.create(draft(), by)).tool.engine.engine).toBe("quickjs");
    const before = world.seen.layers.length;
    await call(world);
    expect(world.jobs.at(-1)).toMatchObject({ bundle: { js: "({})" } });
    expect(world.jobs.at(-1)).not.toHaveProperty("layer");
    expect(world.seen.layers).toHaveLength(before);
  });

  it("that cannot be installed refuse the tool, and nothing is kept", async () => {
    const world = await open();
    world.packages.layer = () => Promise.reject(new DynamicMcpError("PACKAGE_NATIVE", "needs native code"));
    await expect(world.tools.create(draft(), by)).rejects.toMatchObject({ code: "PACKAGE_NATIVE" });
    expect(await world.store.items.list("tool")).toEqual([]);
  });

  it("that the code imports have to be named", async () => {
    const world = await open();
    const { services } = createTestServices();
    const authored = await createAuthored({
      ...services,
      packages: world.packages,
      compile: async ({ code, name }) => ({ program: { js: code, digest: "d", name }, needsNode: ['import("zod")'] }),
    });
    const refused = { code: "INVALID_CODE", message: expect.stringContaining("dependencies") as string };
    await expect(authored.tools.create(draft(), by)).rejects.toMatchObject(refused);
  });

  it("run code that is not kept, too", async () => {
    const world = await open();
    const once = runOnceDraft(zod).parse({ code: "return 2", dependencies: [MS] });
    expect(await world.runOnce(once, by)).toMatchObject({ structuredContent: { result: 2 } });
    expect(world.seen.open).toBe(0);
  });
});
