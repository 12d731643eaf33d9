import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDockerClient } from "../../machine/docker/docker.ts";
import type { ContainerSpec } from "../../machine/docker/containers.ts";
import { docker } from "./fixtures/open-engine.ts";
import { sandboxSpec } from "./spec.ts";

/**
 * The container's own walls, without Node's permissions in it: each attack is run in a container as Docker makes it by
 * default, where it works, and in one of ours.
 */
describe.skipIf(!docker)("a container of ours", () => {
  const client = docker?.client ?? createDockerClient();
  const LABELS = { "dynamic-mcp.spec-test": "1" };
  let imageId = "";
  beforeAll(async () => {
    imageId = (await client.images.inspect(docker?.images.node ?? ""))?.id ?? "";
  });
  afterAll(async () => {
    for (const { id } of await client.containers.list(["dynamic-mcp.spec-test"])) await client.containers.remove(id);
    client.close();
  });

  async function run(spec: ContainerSpec): Promise<{ told: string; exitCode: number; isOomKilled: boolean }> {
    const id = await client.containers.create(spec);
    let told = "";
    const onStdout = (chunk: Uint8Array) => void (told += Buffer.from(chunk).toString("utf8"));
    const stream = await client.containers.attach(id, { onStdout, onStderr() {} });
    await client.containers.start(id);
    await stream.ended;
    const exitCode = await client.containers.wait(id);
    const facts = await client.containers.inspect(id);
    await client.containers.remove(id);
    return { told: told.trim(), exitCode, isOomKilled: facts?.isOomKilled === true };
  }
  const limits = { memoryMiB: 128, cpus: 1, pids: 64, cpuSeconds: 10, tmpMiB: 4 };
  const inOurs = (command: string[], more: Partial<typeof limits> = {}) =>
    run(
      sandboxSpec({
        imageId,
        volumes: [],
        command,
        limits: { ...limits, ...more },
        labels: LABELS,
        ipc: "none",
        hasInit: true,
      }),
    );
  const byDefault = (command: string[]) =>
    run({
      Image: imageId,
      Cmd: command,
      Labels: LABELS,
      AttachStdout: true,
      HostConfig: { NetworkMode: "host", PidsLimit: 500, Memory: 512 * 2 ** 20 },
    });
  const sh = (script: string) => ["sh", "-c", script];

  it.each([
    ["is root", "id -u", "0", "65534"],
    ["writes to the image's files", "echo x > /etc/passwd && echo written || echo refused", "written", "refused"],
    ["has capabilities", "grep CapEff /proc/self/status | grep -q '0000000000000000' && echo none || echo some", "some", "none"], // prettier-ignore
    ["may gain privileges", "grep NoNewPrivs /proc/self/status | grep -q 1 && echo no || echo yes", "yes", "no"],
    ["shares memory with others", "ls /dev/shm >/dev/null 2>&1 && echo yes || echo no", "yes", "no"],
    ["runs programs from /tmp", "cp /bin/busybox /tmp/true && /tmp/true 2>/dev/null && echo runs || echo refused", "runs", "refused"], // prettier-ignore
    ["fills the disk", "head -c 20000000 /dev/zero > /tmp/fill 2>/dev/null && echo filled || echo full", "filled", "full"], // prettier-ignore
    ["sees the host's network", "ls /sys/class/net | wc -l | grep -qx 1 && echo alone || echo seen", "seen", "alone"],
    ["has a seccomp filter", "grep -q 'Seccomp:.*2' /proc/self/status && echo filtered || echo open", "filtered", "filtered"], // prettier-ignore
    ["sees the host's environment", "env | cut -d= -f1 | sort | tr '\\n' ' '", expect.any(String), "HOME HOSTNAME PATH PWD SHLVL TZ"], // prettier-ignore
  ])("%s only by default", async (_, script, byDefaultTold, oursTold) => {
    expect((await byDefault(sh(script))).told).toEqual(byDefaultTold);
    expect((await inOurs(sh(script))).told).toEqual(oursTold);
  });

  it("stops a fork bomb at its limit", async () => {
    const bomb = "for i in $(seq 1 100); do sleep 5 & done 2>/dev/null; ls /proc | grep -c ^[1-9].; kill -9 -1";
    expect(Number((await byDefault(sh(bomb))).told)).toBeGreaterThan(64);
    expect(Number((await inOurs(sh(bomb))).told || "0")).toBeLessThanOrEqual(64);
  });

  it("takes detached children along when it goes", async () => {
    const id = await client.containers.create({
      ...sandboxSpec({ imageId, volumes: [], command: sh("setsid sleep 600 & setsid sleep 600 & wait"), limits, labels: LABELS, ipc: "none", hasInit: false }), // prettier-ignore
    });
    await client.containers.start(id);
    await client.containers.remove(id);
    expect(await client.containers.inspect(id)).toBeUndefined();
  });

  it("is ended by the kernel at its memory, and says so", async () => {
    const eat = ["node", "-e", "const all = []; for (;;) all.push(Buffer.alloc(1e6, 1))"];
    expect(await inOurs(eat)).toMatchObject({ exitCode: 137, isOomKilled: true });
  });

  it("is ended at its processor time when nobody else ends it", async () => {
    expect((await inOurs(["node", "-e", "for (;;);"], { cpuSeconds: 1 })).exitCode).not.toBe(0);
  });

  it("reaches nothing on the host's loopback", async () => {
    const server = createServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const get = `require("http").get("http://127.0.0.1:${port}/", (r) => r.pipe(process.stdout)).on("error", () => console.log("nothing"))`;
    const look = ["node", "-e", get];
    expect((await byDefault(look)).told).toBe("hello");
    expect((await inOurs(look)).told).toBe("nothing");
    await new Promise((resolve) => server.close(resolve));
  });
});
