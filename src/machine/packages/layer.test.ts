import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { archive, type Entry, integrityOf } from "./fixtures/archive.ts";
import type { FakePackage } from "./fixtures/fake-registry.ts";
import { MINUTE, openWorld, type World, type WorldOptions } from "./fixtures/world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function open(packages: Record<string, FakePackage>, options?: WorldOptions): Promise<World> {
  world = await openWorld(packages, options);
  return world;
}

const one = (entries: Entry[]): Record<string, FakePackage> => ({ a: { "1.0.0": { entries } } });
const MIB = 1024 * 1024;

describe("a layer", () => {
  it("holds the files of its packages, which nobody may write, and no way to start them", async () => {
    const { install, leftovers } = await open({
      a: { "1.0.0": { entries: [{ path: "package/lib/a.js", content: "1", mode: 0o777 }] } }, // prettier-ignore
      b: { "1.0.0": { entries: [{ path: "other-root/b.js", content: "22" }] } },
    });
    const lease = await install("a", "b");
    const at = (path: string) => join(lease.folder, "node_modules", path);
    expect(readFileSync(at("a/lib/a.js"), "utf8")).toBe("1");
    expect(readFileSync(at("b/b.js"), "utf8")).toBe("22");
    expect(statSync(at("a/lib/a.js")).mode & 0o777).toBe(0o444);
    for (const folder of ["", "a", "a/lib"]) expect(statSync(at(folder)).mode & 0o777).toBe(0o555);
    expect(statSync(lease.folder).mode & 0o777).toBe(0o555);
    expect(readdirSync(at(""))).toEqual(["a", "b"]);
    expect(lease).toMatchObject({ files: 4, bytes: 3 + 2 * '{"name":"a","version":"1.0.0"}'.length });
    expect(leftovers()).toEqual([]);
  });

  it("is made once for all who ask at once, also by another process's way, and never asks the registry again", async () => {
    const { store, open: openAgain, registry } = await open(one([]));
    const lock = registry.lock("a");
    const other = await openAgain();
    const progress: string[] = [];
    const leases = await Promise.all([
      ...[1, 2, 3].map(() => store.layer(lock, MINUTE(), (message) => progress.push(message))),
      other.layer(lock, MINUTE()),
    ]);
    expect(new Set(leases.map(({ folder }) => folder)).size).toBe(1);
    expect(registry.requests.filter(({ path }) => path.endsWith(".tgz"))).toHaveLength(1);
    expect(progress).toContain("unpacking");
    await registry.close();
    await expect(store.layer(structuredClone(lock), MINUTE())).resolves.toMatchObject({ key: leases[0]?.key });
    await expect((await openAgain()).layer(lock, MINUTE())).resolves.toMatchObject({ folder: leases[0]?.folder });
  });

  it("is made again when somebody emptied the folder", async () => {
    const { install, folder } = await open(one([]));
    const first = await install("a");
    execFileSync("rm", ["-rf", join(folder, "layers")]);
    const second = await install("a");
    expect(second.folder).toBe(first.folder);
    expect(existsSync(join(second.folder, "node_modules/a/package.json"))).toBe(true);
  });

  it("fetches a package that stands in two places once, and what a registry keeps elsewhere on its host", async () => {
    const { resolve, store, registry } = await open({
      a: { "1.0.0": { manifest: { dependencies: { x: "1" } } } },
      b: { "1.0.0": { manifest: { dependencies: { x: "1" } } } },
      x: { "1.0.0": {}, "2.0.0": {} },
    });
    registry.intercept = (request, response) => request.url === "/x/-/x-1.0.0.tgz?no" && Boolean(response.end());
    const lease = await store.layer(await resolve("a", "b", "x@2.0.0"), MINUTE());
    expect(existsSync(join(lease.folder, "node_modules/b/node_modules/x/package.json"))).toBe(true);
    expect(registry.requests.filter(({ path }) => path === "/x/-/x-1.0.0.tgz")).toHaveLength(1);
  });

  it("fetches from where the registry's document says, on its own host only", async () => {
    const packed = archive([{ path: "package/package.json", content: "{}" }]);
    const elsewhere = createServer((_, response) => void response.end(packed));
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    try {
      const packages: Record<string, FakePackage> = { a: { "1.0.0": { packed } } };
      const { store, registry } = await open(packages);
      const serveAt = (tarball: string) => {
        packages["a"] = { "1.0.0": { packed, dist: { tarball } } };
      };
      registry.intercept = (request, response) => {
        if (request.url === "/a/-/a-1.0.0.tgz") return Boolean(response.writeHead(404).end());
        return request.url === "/download/a" && Boolean(response.end(packed));
      };
      const lock = registry.lock("a");
      serveAt(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/a`);
      await expect(store.layer(lock, MINUTE())).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
      serveAt(`${registry.url}/download/a`);
      expect((await store.layer(lock, MINUTE())).files).toBe(1);
    } finally {
      await new Promise((resolve) => elsewhere.close(resolve));
    }
  });

  it("is refused when a name has been forbidden since, and when the lock is damaged", async () => {
    const { open: openAgain, store, registry } = await open(one([]));
    const lock = registry.lock("a");
    const strict = await openAgain({ blocked: ["a"] });
    await expect(strict.layer(lock, MINUTE())).rejects.toMatchObject({ code: "PACKAGE_NOT_ALLOWED" });
    for (const change of [
      { path: "node_modules/../../etc" },
      { path: "/etc/a" },
      { path: "node_modules/a/b" },
      { name: "../a" },
      { version: "../../a" },
      { version: "latest" },
      { integrity: "md5-AAAA" },
      { integrity: "" },
    ]) {
      const damaged = { packages: lock.packages.map((each) => ({ ...each, ...change })) };
      await expect(store.layer(damaged, MINUTE())).rejects.toMatchObject({ code: "PACKAGE_NOT_ALLOWED" });
    }
    const twice = { packages: [...lock.packages, ...lock.packages] };
    await expect(store.layer(twice, MINUTE())).rejects.toMatchObject({ code: "PACKAGE_NOT_ALLOWED" });
  });
});

describe("a hostile archive", () => {
  /** All that is outside of the layer must stay as it is. */
  async function expectRefused(entries: Entry[], code: string, options?: WorldOptions): Promise<void> {
    const { install, leftovers, folder } = await open(one(entries), options);
    await expect(install("a")).rejects.toMatchObject({ code });
    expect(leftovers()).toEqual([]);
    expect(existsSync(join(folder, "layers")) ? readdirSync(join(folder, "layers")) : []).toEqual([]);
    expect(existsSync(join(folder, "evil"))).toBe(false);
    expect(existsSync("/tmp/dynamic-mcp-evil")).toBe(false);
  }

  it.each<[string, Entry]>([
    ["a path upwards", { path: "package/../../../../../evil", content: "x" }],
    ["a path upwards at its start", { path: "../evil", content: "x" }],
    ["an absolute path", { path: "/tmp/dynamic-mcp-evil", content: "x" }],
    ["a path of Windows", { path: "package\\..\\..\\evil", content: "x" }],
    ["a drive", { path: "C:/evil", content: "x" }],
    ["a hard link", { path: "package/link", type: "hardLink", linkpath: "/etc/passwd" }],
    ["a character device", { path: "package/null", type: "characterDevice" }],
    ["a block device", { path: "package/disk", type: "blockDevice" }],
    ["a named pipe", { path: "package/pipe", type: "fifo" }],
    ["a path that is too long", { path: `package/${"a/".repeat(25)}${"b".repeat(380)}`, content: "x" }],
    ["a path that is too deep", { path: `package/${"a/".repeat(32)}b`, content: "x" }],
  ])("with %s is refused [packages-contained]", async (_, entry) => {
    await expectRefused([entry], "PACKAGE_NOT_ALLOWED");
  });

  it("would have written outside, were it unpacked by somebody trusting", async () => {
    const { folder } = await open({});
    const inner = join(folder, "inner");
    const file = join(folder, "evil.tgz");
    const entry = { path: "package/../../evil", content: "x" };
    execFileSync("mkdir", ["-p", join(inner, "package")]);
    execFileSync("sh", ["-c", `cat > ${file} && tar --absolute-names -C ${inner} -xzf ${file}`], {
      input: archive([entry]),
    });
    expect(readFileSync(join(folder, "evil"), "utf8")).toBe("x");
  });

  it("whose links lead elsewhere installs without them", async () => {
    const { install, folder } = await open(
      one([
        { path: "package/out", type: "symbolicLink", linkpath: "../../../../.." },
        { path: "package/out/evil", content: "x" },
        { path: "package/passwd", type: "symbolicLink", linkpath: "/etc/passwd" },
      ]),
    );
    const { folder: layer } = await install("a");
    expect(existsSync(join(folder, "evil"))).toBe(false);
    expect(readdirSync(join(layer, "node_modules/a"))).toEqual(["out", "package.json"]);
    expect(statSync(join(layer, "node_modules/a/out")).isDirectory()).toBe(true);
  });

  it("with packages of its own inside installs without them", async () => {
    const { install } = await open(one([{ path: "package/node_modules/pm2/index.js", content: "x" }]));
    const { folder } = await install("a");
    expect(readdirSync(join(folder, "node_modules/a"))).toEqual(["package.json"]);
  });

  it("with native code is refused", async () => {
    await expectRefused([{ path: "package/build/Release/addon.node", content: "x" }], "PACKAGE_NATIVE");
    await world?.close();
    await expectRefused([{ path: "package/binding.gyp", content: "{}" }], "PACKAGE_NATIVE");
  });

  it("whose names differ only in case is refused; a name that comes twice counts once, and the later one holds", async () => {
    await expectRefused([{ path: "package/A.js" }, { path: "package/a.js" }], "PACKAGE_NOT_ALLOWED");
    await world?.close();
    const { install } = await open(one([{ path: "package/a.js", content: "1" }, { path: "package/a.js", content: "2" }])); // prettier-ignore
    const lease = await install("a");
    expect(lease.files).toBe(2);
    expect(readFileSync(join(lease.folder, "node_modules/a/a.js"), "utf8")).toBe("2");
  });

  it.each<[string, Entry[]]>([
    ["a file and then a folder", [{ path: "package/x" }, { path: "package/x/y" }]],
    ["a folder and then a file", [{ path: "package/lib/x/y/z" }, { path: "package/lib/x" }]],
    ["both, where case does not count", [{ path: "package/X" }, { path: "package/x/y" }]],
  ])("in which one name is %s is refused", async (_, entries) => {
    await expectRefused(entries, "PACKAGE_NOT_ALLOWED");
  });

  it("that inflates to a thousand times its size is stopped at the limit", async () => {
    const bomb = Buffer.alloc(256 * MIB);
    const startedAt = performance.now();
    await expectRefused([{ path: "package/bomb", content: bomb }], "PACKAGE_TOO_LARGE", {
      limits: { maxBytes: 20 * MIB },
    });
    expect(performance.now() - startedAt).toBeLessThan(60_000);
  });

  it("whose header lies about its size is stopped at the limit too, also in what is passed over", async () => {
    const limits = { maxBytes: 1_000 };
    await expectRefused([{ path: "package/node_modules/x", content: Buffer.alloc(2_000) }], "PACKAGE_TOO_LARGE", {
      limits,
    });
  });

  it("of a hundred thousand files is stopped at the limit", async () => {
    const entries = Array.from({ length: 100_000 }, (_, at) => ({ path: `package/f${at}` }));
    await expectRefused(entries, "PACKAGE_TOO_LARGE");
  });

  it("is measured at the edge of bytes and files", async () => {
    const own = JSON.stringify({ name: "a", version: "1.0.0" }).length;
    const entries = [{ path: "package/x", content: Buffer.alloc(100) }];
    const { install } = await open(one(entries), { limits: { maxBytes: own + 100, maxFiles: 2 } });
    expect(await install("a")).toMatchObject({ bytes: own + 100, files: 2 });
    await world?.close();
    await expectRefused(entries, "PACKAGE_TOO_LARGE", { limits: { maxBytes: own + 99 } });
    await world?.close();
    await expectRefused(entries, "PACKAGE_TOO_LARGE", { limits: { maxFiles: 1 } });
    await world?.close();
    const says = (text: string) =>
      expect.objectContaining({ message: expect.stringContaining(text) as string }) as Error;
    const files = await open(one(entries), { limits: { maxFiles: 1 } });
    await expect(files.install("a")).rejects.toEqual(says("at most 1 files are taken (MCP_PACKAGES_MAX_FILES)"));
    await files.close();
    const bytes = await open(one([{ path: "package/x", content: Buffer.alloc(2 * MIB) }]), {
      limits: { maxBytes: MIB },
    });
    await expect(bytes.install("a")).rejects.toEqual(says("at most 1 MiB unpacked are taken (MCP_PACKAGES_MAX_MIB)"));
  });

  it.each([
    ["no archive", Buffer.from("not an archive")],
    ["packed nonsense", gzipSync("nonsense")],
    ["nothing", Buffer.alloc(0)],
    ["a part of one", archive([{ path: "package/a", content: "x".repeat(5_000) }]).subarray(0, 60)],
  ])("that is %s is refused", async (_, packed) => {
    const { install, leftovers } = await open({ a: { "1.0.0": { packed } } });
    await expect(install("a")).rejects.toMatchObject({ code: "PACKAGE_NOT_ALLOWED" });
    expect(leftovers()).toEqual([]);
  });

  it("runs no script, which npm would have run [packages-no-scripts]", async () => {
    const script = (file: string) =>
      JSON.stringify({ name: "a", version: "1.0.0", scripts: { install: `echo ran > ${file}` } });
    const { folder } = await open({});
    const ran = join(folder, "ran");
    const packed = archive([{ path: "package/package.json", content: script(ran) }]);
    await world?.close();
    const again = await open({ a: { "1.0.0": { packed, manifest: { hasInstallScript: true, scripts: { install: `echo ran > ${ran}` } } } } }, { folder }); // prettier-ignore
    execFileSync("mkdir", ["-p", join(folder, "npm")]);
    expect((await again.resolve("a")).packages[0]?.hasScripts).toBe(true);
    await again.install("a");
    expect(existsSync(ran)).toBe(false);
    const npm = join(process.execPath, "../../lib/node_modules/npm/bin/npm-cli.js");
    const args = ["install", "a", "--registry", again.registry.url, "--no-audit", "--cache", join(folder, "npm/cache")];
    const command = existsSync(npm) ? [process.execPath, npm] : ["npm"];
    await runAside(command[0] ?? "npm", [...command.slice(1), ...args], join(folder, "npm"));
    expect(existsSync(ran)).toBe(true);
  });
});

describe("fetching", () => {
  it("refuses what is not what was locked, before any of it is unpacked [packages-integrity]", async () => {
    const { store, registry, leftovers, folder } = await open(one([]));
    const lock = registry.lock("a");
    const other = archive([{ path: "package/package.json", content: '{"name":"a","version":"6.6.6"}' }]);
    registry.intercept = (request, response) => request.url === "/a/-/a-1.0.0.tgz" && Boolean(response.end(other));
    await expect(store.layer(lock, MINUTE())).rejects.toMatchObject({ code: "PACKAGE_INTEGRITY" });
    expect(leftovers()).toEqual([]);
    expect(existsSync(join(folder, "layers"))).toBe(false);
    const trusting = { packages: lock.packages.map((each) => ({ ...each, integrity: integrityOf(other) })) };
    expect((await store.layer(trusting, MINUTE())).files).toBe(1);
  });

  it("stops reading at the limit, however much comes", async () => {
    const { store, registry } = await open(one([]), { limits: { maxBytes: MIB } });
    const lock = registry.lock("a");
    let sent = 0;
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(".tgz")) return false;
      const more = () => {
        while (sent < 512 * MIB && !response.destroyed && response.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024;
      };
      response.on("drain", more);
      more();
      return true;
    };
    await expect(store.layer(lock, MINUTE())).rejects.toMatchObject({ code: "PACKAGE_TOO_LARGE" });
    expect(sent).toBeLessThan(32 * MIB);
  });

  it("is not redirected to another host, and ends with its deadline", async () => {
    const { store, registry, leftovers } = await open(one([]));
    const lock = registry.lock("a");
    registry.intercept = (_, response) =>
      Boolean(response.writeHead(302, { location: "http://localhost:1/a.tgz" }).end());
    await expect(store.layer(lock, MINUTE())).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    registry.intercept = () => true; // and never answers
    const startedAt = performance.now();
    await expect(store.layer(lock, new Deadline(300))).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    await expect.poll(leftovers).toEqual([]);
    registry.intercept = undefined;
    expect((await store.layer(lock, MINUTE())).files).toBe(1);
  });

  it("goes on for those who still wait when the one who began has left", async () => {
    const { store, registry } = await open(one([]));
    const lock = registry.lock("a");
    let letGo = () => {};
    registry.intercept = (_, response) => {
      letGo = () => {
        registry.intercept = undefined;
        response.writeHead(503).end(); // the next try gets it
      };
      return true;
    };
    const first = new Deadline(60_000);
    const [early, late] = [store.layer(lock, first), store.layer(lock, MINUTE())];
    await expect.poll(() => registry.requests.some(({ path }) => path.endsWith(".tgz"))).toBe(true);
    first.end("client");
    await expect(early).rejects.toMatchObject({ code: "CANCELLED" });
    letGo();
    expect((await late).files).toBe(1);
  });

  it("begins anew for who comes while the one that all have left is still being ended", async () => {
    const { store, registry, leftovers } = await open(one([]));
    const lock = registry.lock("a");
    registry.intercept = () => true; // and never answers
    const first = new Deadline(60_000);
    const early = store.layer(lock, first);
    await expect.poll(() => registry.requests.some(({ path }) => path.endsWith(".tgz"))).toBe(true);
    registry.intercept = undefined;
    first.end("client");
    await expect(early).rejects.toMatchObject({ code: "CANCELLED" });
    expect(leftovers()).not.toEqual([]); // it is still there
    const lates = [store.layer(lock, MINUTE()), store.layer(lock, MINUTE())];
    expect(await Promise.all(lates)).toMatchObject([{ files: 1 }, { files: 1 }]);
    await expect.poll(leftovers).toEqual([]);
  });

  it("that all have left is waited for by the end of the store", async () => {
    const { store, registry, leftovers } = await open(one([]));
    registry.intercept = () => true;
    const first = new Deadline(60_000);
    const left = store.layer(registry.lock("a"), first);
    await expect.poll(() => registry.requests.some(({ path }) => path.endsWith(".tgz"))).toBe(true);
    first.end("client");
    await expect(left).rejects.toMatchObject({ code: "CANCELLED" });
    await store.close();
    expect(leftovers()).toEqual([]);
  });

  it("is told as such when the package has gone, or the registry is down", async () => {
    const { store, registry } = await open(one([]));
    const lock = registry.lock("a");
    registry.intercept = (_, response) => Boolean(response.writeHead(404).end("{}"));
    await expect(store.layer(lock, MINUTE())).rejects.toMatchObject({ code: "PACKAGE_NOT_FOUND" });
    await registry.close();
    await expect(store.layer(lock, MINUTE())).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  });
});

/** Without blocking this process, which serves the registry. */
async function runAside(command: string, args: string[], cwd: string): Promise<void> {
  const { execFile } = await import("node:child_process");
  const { promisify } = await import("node:util");
  await promisify(execFile)(command, args, { cwd }).catch((error: unknown) => {
    throw new Error("npm could not be run", { cause: error });
  });
}
