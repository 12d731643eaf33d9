import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { SILENT } from "../../core/source.ts";
import { runBody } from "../fixtures/run-body.ts";
import { createDockerBase } from "./docker-base.ts";
import { createDockerEngine } from "./docker-engine.ts";
import { docker } from "./fixtures/open-engine.ts";
import { DockerError } from "../../machine/docker/docker-error.ts";
import { createMarks, LABEL, type Kind } from "./marks.ts";
import { createReaper } from "./reaper.ts";

const SERVER = fileURLToPath(new URL("fixtures/server.ts", import.meta.url));

describe.skipIf(!docker)("what servers leave on a daemon", () => {
  const client = () => {
    if (!docker) throw new Error("skipped");
    return docker.client;
  };
  afterAll(() => docker?.client.close());
  const things = async (instance: string) => {
    const labels = [`${LABEL.instance}=${instance}`];
    return [
      ...(await client().containers.list(labels)).map(({ id }) => id),
      ...(await client().volumes.list(labels)).map(({ name }) => name),
    ];
  };
  const forget = async (instance: string) => {
    const labels = [`${LABEL.instance}=${instance}`];
    for (const { id } of await client().containers.list(labels)) await client().containers.remove(id);
    for (const { name } of await client().volumes.list(labels)) await client().volumes.remove(name);
  };
  const reaperOf = (marks = createMarks(), knows: (id: string) => boolean = () => false, goneAfterMs?: number) =>
    createReaper({ client: client(), marks, knows, log: SILENT, ...(goneAfterMs !== undefined && { goneAfterMs }) });
  /** A container that is made and never started, with the labels of some server. */
  const leave = (labels: Record<string, string>) =>
    client().containers.create({
      Image: docker?.images.node ?? "",
      Labels: labels,
      HostConfig: { NetworkMode: "none" },
    });
  const marksOf = (instance: string, kind: Kind, other: Record<string, string> = {}) => ({
    ...createMarks().of(kind),
    [LABEL.instance]: instance,
    ...other,
  });

  it("is gone after the next start, when one was killed with twenty calls in flight [docker-leftovers]", async () => {
    const server = spawn(process.execPath, [SERVER, docker?.images.node ?? "", "20"], { stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
    const said = await new Promise<string>((resolve) => server.stdout.once("data", (chunk) => resolve(String(chunk))));
    const instance = said.trim().split(" ")[1] ?? "";
    expect((await things(instance)).length).toBeGreaterThanOrEqual(20);
    server.kill("SIGKILL");
    await new Promise((resolve) => server.once("exit", resolve));

    const base = createDockerBase({ defaultImage: docker?.images.node ?? "" });
    const engine = createDockerEngine(base, { warm: 0 });
    expect(await runBody(engine, "return 1", { timeoutMs: 20_000 })).toMatchObject({ state: "done" });
    await expect.poll(() => things(instance), { timeout: 20_000 }).toEqual([]);
    await engine.close();
    await base.close();
    expect(await things(base.marks.instance)).toEqual([]);
  }, 90_000);

  it("is not touched while its server lives", async () => {
    const base = createDockerBase({ defaultImage: docker?.images.node ?? "" });
    const engine = createDockerEngine(base, { warm: 1 });
    await runBody(engine, "return 1");
    await expect.poll(() => things(base.marks.instance)).not.toEqual([]);
    // However old: this server is seen to live.
    expect(await reaperOf(createMarks(), () => false, 0).sweep()).toBe(0);
    expect(await things(base.marks.instance)).not.toEqual([]);
    await engine.close();
    await base.close();
    expect(await things(base.marks.instance)).toEqual([]);
  });

  it("of a server elsewhere goes only when that was not seen for long", async () => {
    const elsewhere = { [LABEL.host]: "another machine", [LABEL.pid]: "1" };
    await leave(marksOf("elsewhere", "sandbox", elsewhere));
    expect(await reaperOf().sweep()).toBe(0);
    expect(await things("elsewhere")).toHaveLength(1);
    expect(await reaperOf(createMarks(), () => false, -60_000).sweep()).toBe(1);
    expect(await things("elsewhere")).toEqual([]);
  });

  it("of a server that shows itself stays, and goes when it does not any more", async () => {
    const seen: Record<string, string> = { [LABEL.host]: "another machine", [LABEL.pid]: "1" };
    const marks = { instance: "shown", of: (kind: Kind) => marksOf("shown", kind, seen) };
    const other = reaperOf(marks);
    await other.open();
    const id = await leave(marks.of("sandbox"));
    expect(await reaperOf().sweep()).toBe(0);
    await other.close();
    expect(await things("shown")).toEqual([id]);
    await forget("shown");
  });

  it("of a server whose first sign of life the daemon refused stays: it shows itself as soon as it can", async () => {
    const marks = createMarks();
    let refusals = 1;
    const create: ReturnType<typeof client>["volumes"]["create"] = async (...args) => {
      if (refusals-- > 0) throw new DockerError(500, "not now");
      return client().volumes.create(...args);
    };
    const stubborn = { ...client(), volumes: { ...client().volumes, create } };
    const reaper = createReaper({ client: stubborn, marks, knows: () => true, log: SILENT, beatMs: 20 });
    await expect(reaper.open()).rejects.toThrow("not now");
    await expect.poll(() => things(marks.instance), { timeout: 5_000 }).not.toEqual([]);
    await reaper.close();
    expect(await things(marks.instance)).toEqual([]);
  });

  it("goes as far as it can: one that the daemon does not let go keeps none of the others", async () => {
    const gone = { [LABEL.pid]: "999999999", [LABEL.start]: "1" };
    const ids = [await leave(marksOf("stuck", "sandbox", gone)), await leave(marksOf("stuck", "sandbox", gone))];
    const remove: ReturnType<typeof client>["containers"]["remove"] = async (id, options) => {
      if (id === ids[1]) throw new DockerError(500, "device is busy");
      return client().containers.remove(id, options);
    };
    const lame = { ...client(), containers: { ...client().containers, remove } };
    await createReaper({ client: lame, marks: createMarks(), knows: () => false, log: SILENT }).sweep();
    expect(await things("stuck")).toEqual([ids[1]]);
    await reaperOf().sweep();
    expect(await things("stuck")).toEqual([]);
  });

  it("is told from what belongs to others", async () => {
    const foreign = await leave({ "com.example.service": "db" });
    const alike = await leave({ "dynamic-mcp.something": "else" });
    await reaperOf(createMarks(), () => false, -60_000).sweep();
    expect(await client().containers.inspect(foreign)).toBeDefined();
    expect(await client().containers.inspect(alike)).toBeDefined();
    await client().containers.remove(foreign);
    await client().containers.remove(alike);
  });

  it("of a dead process goes, also when another one has its number now", async () => {
    const start = { [LABEL.pid]: String(process.pid), [LABEL.start]: "1" };
    await leave(marksOf("reborn", "sandbox", start));
    expect(await reaperOf().sweep()).toBe(1);
    expect(await things("reborn")).toEqual([]);
  });

  it("is looked for with every sign of life, layers that are too old among it", async () => {
    let pruned = 0;
    const prune = () => Promise.resolve(pruned++);
    const reaper = createReaper({ client: client(), marks: createMarks(), knows: () => true, prune, log: SILENT, beatMs: 20 }); // prettier-ignore
    await reaper.open();
    await expect.poll(() => pruned, { timeout: 5_000 }).toBeGreaterThan(1);
    await reaper.close();
  });
});
