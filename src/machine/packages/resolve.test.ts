import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import type { FakePackage } from "./fixtures/fake-registry.ts";
import { readRegistrySettings } from "./npmrc.ts";
import { DEFAULT_LIMITS } from "./options.ts";
import type { ResolverAnswer, ResolverTask } from "./resolver.ts";
import { openWorld, type World, type WorldOptions } from "./fixtures/world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function open(packages: Record<string, FakePackage>, options?: WorldOptions): Promise<World> {
  world = await openWorld(packages, options);
  return world;
}

const dependsOn = (dependencies: Record<string, string>): FakePackage => ({ "1.0.0": { manifest: { dependencies } } });
const paths = (lock: { packages: { path: string; version: string }[] }) =>
  lock.packages.map(({ path, version }) => `${path.replaceAll("node_modules/", "")}@${version}`);

describe("resolving", () => {
  it("takes the newest version in the range, with what it depends on, nested where versions differ", async () => {
    const { resolve } = await open({
      a: { "1.0.0": {}, "1.4.0": { manifest: { dependencies: { b: "^1.0.0", c: "*" } } }, "2.0.0": {} },
      b: { "1.2.0": {}, "2.0.0": {} },
      c: { "1.0.0": { manifest: { dependencies: { b: "^2.0.0", a: "*" } } } },
      "@scope/d": { "0.1.0": {} },
    });
    const lock = await resolve("a@^1.0.0", "@scope/d");
    expect(paths(lock)).toEqual(["@scope/d@0.1.0", "a@1.4.0", "b@1.2.0", "c@1.0.0", "c/b@2.0.0"]);
    expect(lock.packages.every(({ integrity }) => integrity.startsWith("sha512-"))).toBe(true);
    expect(JSON.stringify(lock)).not.toContain("127.0.0.1");
  });

  it("works as it is bundled, too", async () => {
    const { registry, folder } = await open({ a: dependsOn({ b: "^1.0.0" }), b: { "1.0.0": {} } });
    const task: ResolverTask = {
      wanted: [{ name: "a", version: "latest" }],
      registry: await readRegistrySettings([], {}, registry.url),
      allowed: [],
      blocked: [],
      limits: DEFAULT_LIMITS,
      folder,
    };
    const worker = new Worker(new URL("../../../dist/package-resolver.js", import.meta.url), {
      workerData: task,
      env: {},
    });
    const [answer] = (await once(worker, "message")) as [ResolverAnswer];
    await worker.terminate();
    expect("lock" in answer ? paths(answer.lock) : answer).toEqual(["a@1.0.0", "b@1.0.0"]);
  });

  it("takes required peers, and leaves out optional ones, optional dependencies and those for development", async () => {
    const { resolve, registry } = await open({
      a: {
        "1.0.0": {
          manifest: {
            // npm lists optional dependencies among the plain ones, too.
            dependencies: { option: "*" },
            optionalDependencies: { option: "*" },
            devDependencies: { dev: "*" },
            peerDependencies: { peer: "^1.0.0", maybe: "*" },
            peerDependenciesMeta: { maybe: { optional: true } },
          },
        },
      },
      peer: { "1.5.0": {} },
    });
    expect(paths(await resolve("a"))).toEqual(["a@1.0.0", "peer@1.5.0"]);
    expect(registry.requests.map(({ path }) => path).toSorted()).toEqual(["/a", "/peer"]);
  });

  it("follows an alias of a dependency, whose name holds in the rules", async () => {
    const packages = { a: dependsOn({ other: "npm:b@^1.0.0" }), b: { "1.0.0": {} } };
    const { resolve, open: openAgain } = await open(packages);
    const { packages: locked } = await resolve("a");
    expect(locked.map(({ path, name }) => [path, name])).toContainEqual(["node_modules/other", "b"]);
    const strict = await openAgain({ blocked: ["b"] });
    await expect(strict.resolve([{ name: "a", version: "1.0.0" }], new Deadline(20_000))).rejects.toMatchObject({
      code: "PACKAGE_NOT_ALLOWED",
      data: { package: "b", via: "a@1.0.0" },
    });
  });

  it("says which package, or which version, does not exist", async () => {
    const { resolve } = await open({ a: { "1.0.0": {}, "1.1.0": {} }, b: dependsOn({ gone: "1" }) });
    await expect(resolve("nothing")).rejects.toMatchObject({ code: "PACKAGE_NOT_FOUND", data: { package: "nothing" } });
    await expect(resolve("b")).rejects.toMatchObject({ code: "PACKAGE_NOT_FOUND", data: { package: "gone" } });
    await expect(resolve("a@^2.0.0")).rejects.toMatchObject({
      code: "PACKAGE_NOT_FOUND",
      data: { package: "a" },
      message: expect.stringContaining("1.1.0") as string,
    });
  });

  it("says who wants what when no versions fit together", async () => {
    const { resolve } = await open({
      a: { "1.0.0": { manifest: { peerDependencies: { peer: "^2.0.0" } } } },
      peer: { "1.0.0": {}, "2.0.0": {} },
    });
    await expect(resolve("a", "peer@1.0.0")).rejects.toMatchObject({
      code: "PACKAGE_NOT_FOUND",
      message: expect.stringMatching(/peer.*\^2\.0\.0/) as string,
    });
  });

  it.each([
    ["git+https://example.invalid/b.git"],
    ["github:a/b"],
    ["https://example.invalid/b.tgz"],
    ["file:../b"],
    ["link:../b"],
    ["workspace:*"],
  ])("refuses a dependency by %s without going there [packages-registry-only]", async (spec) => {
    const { resolve, registry } = await open({ a: dependsOn({ b: spec }) });
    await expect(resolve("a")).rejects.toMatchObject({ code: "PACKAGE_NOT_ALLOWED" });
    expect(registry.requests.map(({ path }) => path)).not.toContain("/b");
  });

  it("holds names against the rules at every depth [packages-registry-only]", async () => {
    const packages = { a: dependsOn({ b: "*" }), b: dependsOn({ pm2: "*" }), pm2: { "1.0.0": {} } };
    const { resolve, open: openAgain } = await open(packages, { blocked: ["pm2"] });
    await expect(resolve("a")).rejects.toMatchObject({
      code: "PACKAGE_NOT_ALLOWED",
      data: { package: "pm2", via: "b@1.0.0" },
    });
    const wanted = [{ name: "a", version: "latest" }];
    const narrow = await openAgain({ blocked: [], allowed: ["a", "b"] });
    await expect(narrow.resolve(wanted, new Deadline(20_000))).rejects.toMatchObject({ data: { package: "pm2" } });
    const open2 = await openAgain({ blocked: [] });
    expect((await open2.resolve(wanted, new Deadline(20_000))).packages).toHaveLength(3);
  });

  it("stops at the limits of direct packages and of all, at their edge", async () => {
    const names = Array.from({ length: 5 }, (_, at) => `p${at}`);
    const packages = Object.fromEntries(names.map((name) => [name, { "1.0.0": {} }]));
    const { resolve, store } = await open(
      { ...packages, all: dependsOn(Object.fromEntries(names.map((name) => [name, "*"]))) },
      { limits: { maxDirect: 2, maxPackages: 6 } },
    );
    expect((await resolve("all")).packages).toHaveLength(6);
    expect((await resolve("p0", "p1")).packages).toHaveLength(2);
    await expect(resolve("p0", "p1", "p2")).rejects.toMatchObject({ code: "PACKAGE_NOT_ALLOWED" });
    await expect(resolve("p0", "p0")).rejects.toMatchObject({ code: "PACKAGE_NOT_ALLOWED" });
    expect(await store.resolve([], new Deadline(1_000))).toEqual({ packages: [] });
  });

  it("refuses too many packages, and sizes that the registry tells", async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`p${at}`, dependsOn({ [`p${at + 1}`]: "*" })] as const),
    );
    const dist = (unpackedSize: number, fileCount = 1) => ({ "1.0.0": { dist: { unpackedSize, fileCount } } });
    const { resolve } = await open(
      { ...chain, p40: { "1.0.0": {} }, large: dist(600), small: dist(400), tiny: dist(1), many: dist(1, 11) },
      { limits: { maxPackages: 5, maxBytes: 1_000, maxFiles: 10 } },
    );
    await expect(resolve("p0")).rejects.toMatchObject({ code: "PACKAGE_TOO_LARGE" });
    expect((await resolve("large", "small")).packages).toHaveLength(2);
    // With the limit, and the name of the setting that makes another of it.
    const tooLarge = (why: RegExp) => ({ code: "PACKAGE_TOO_LARGE", message: expect.stringMatching(why) as string });
    await expect(resolve("large", "small", "tiny")).rejects.toMatchObject(tooLarge(/1001 bytes.* 1000 bytes.*\(MCP_PACKAGES_MAX_MIB\)/)); // prettier-ignore
    await expect(resolve("many")).rejects.toMatchObject(tooLarge(/11 files.* 10 files.*\(MCP_PACKAGES_MAX_FILES\)/));
  });

  it("tells of native code, of scripts and of a Node that does not fit", async () => {
    const { resolve } = await open({
      sharp: { "1.0.0": { manifest: { optionalDependencies: { "@i/s-linux-x64": "1", "@i/s-darwin-arm64": "1" } } } },
      built: { "1.0.0": { manifest: { hasInstallScript: true, dependencies: { bindings: "*" } } } },
      gyp: { "1.0.0": { manifest: { gypfile: true } } },
      user: dependsOn({ gyp: "*" }),
      scripted: { "1.0.0": { manifest: { hasInstallScript: true, engines: { node: "<1" } } } },
      bindings: { "1.0.0": {} },
    });
    for (const name of ["sharp", "built", "gyp"]) await expect(resolve(name)).rejects.toMatchObject({ code: "PACKAGE_NATIVE" }); // prettier-ignore
    await expect(resolve("user")).rejects.toThrow(/user@1\.0\.0 depends on it/);
    const lock = await resolve("scripted");
    expect(lock.packages[0]).toMatchObject({ hasScripts: true });
    expect(lock.warnings).toEqual([expect.stringContaining("<1")]);
  });

  it("takes sha1 where there is nothing better, and refuses what has no checksum", async () => {
    const shasum = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    const { resolve } = await open({
      old: { "1.0.0": { dist: { integrity: undefined, shasum } } },
      none: { "1.0.0": { dist: { integrity: undefined } } },
    });
    expect((await resolve("old")).packages[0]?.integrity).toBe("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    await expect(resolve("none")).rejects.toMatchObject({ code: "PACKAGE_INTEGRITY" });
  });
});

describe("the registry", () => {
  it("gets the token of its place and no other, also for a scope of its own", async () => {
    const other = await openWorld({ "@acme/a": { "1.0.0": {} } });
    try {
      const { host } = new URL(other.registry.url);
      const npmrc = `@acme:registry=${other.registry.url}/\n//${host}/:_authToken=secret\n//${host}/else/:_authToken=wrong`;
      const { resolve, registry } = await open({ b: { "1.0.0": {} } }, { npmrc });
      await resolve("@acme/a", "b");
      expect(other.registry.requests).toEqual([{ path: "/@acme/a", authorization: "Bearer secret" }]);
      expect(registry.requests).toEqual([{ path: "/b", authorization: undefined }]);
    } finally {
      await other.close();
    }
  });

  it("is asked again after a fault that may pass, and not after others", async () => {
    const { resolve, registry } = await open({ a: { "1.0.0": {} } });
    let faults = 1;
    registry.intercept = (_, response) => faults-- > 0 && Boolean(response.writeHead(503).end());
    expect((await resolve("a")).packages).toHaveLength(1);
    faults = 10;
    registry.requests.length = 0;
    await expect(resolve("a")).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    expect(registry.requests).toHaveLength(2);
    registry.intercept = (_, response) => Boolean(response.writeHead(401).end());
    registry.requests.length = 0;
    await expect(resolve("a")).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    expect(registry.requests).toHaveLength(1);
  });

  it.each([
    ["what is no JSON", "<html>"],
    ["nothing", ""],
    ["another kind of JSON", "[]"],
    ["a list of nothing", "null"],
  ])("that answers with %s is told as such", async (_, body) => {
    const { resolve, registry } = await open({});
    registry.intercept = (__, response) => Boolean(response.end(body));
    await expect(resolve("a")).rejects.toMatchObject({
      code: expect.stringMatching(/^(REGISTRY_UNAVAILABLE|PACKAGE_NOT_FOUND)$/) as string,
    });
  });

  it("that is down is told as such", async () => {
    const { resolve, registry } = await open({});
    await registry.close();
    await expect(resolve("a")).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  });

  it("that never answers holds nobody longer than the deadline", async () => {
    const { store, registry } = await open({});
    registry.intercept = () => true;
    const startedAt = performance.now();
    await expect(store.resolve([{ name: "a", version: "1" }], new Deadline(500))).rejects.toMatchObject({ code: "TIMEOUT" }); // prettier-ignore
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it("is not followed to another host, which would have got the request", async () => {
    const { resolve, registry } = await open({ a: { "1.0.0": {} } });
    let asked = 0;
    const elsewhere = createServer((_, response) => {
      asked++;
      response.end("{}");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = elsewhere.address() as AddressInfo;
      const redirect = (to: string) => {
        registry.intercept = (request, response) =>
          request.url === "/a" && Boolean(response.writeHead(302, { location: to }).end());
      };
      redirect(`http://127.0.0.1:${port}/a`);
      await expect(resolve("a")).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
      expect(asked).toBe(0);
      redirect("/a?again");
      expect((await resolve("a")).packages).toHaveLength(1); // within itself it may
    } finally {
      await new Promise((resolve) => elsewhere.close(resolve));
    }
  });
});
