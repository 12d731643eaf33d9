import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { FakePackage } from "./fixtures/fake-registry.ts";
import { MINUTE, openWorld, type World, type WorldOptions } from "./fixtures/world.ts";
import { breakLock, tryLock, unlock } from "./folder-locks.ts";
import { isAlive, ownOwner } from "./owner.ts";
import type { PackageLock } from "./packages.ts";

let world: World | undefined;
const others: ChildProcess[] = [];
afterEach(async () => {
  for (const each of others.splice(0)) await kill(each);
  await world?.close();
  world = undefined;
});

async function open(packages: Record<string, FakePackage>, options?: WorldOptions): Promise<World> {
  world = await openWorld(packages, options);
  return world;
}

function startAside({ folder, registry }: World, lock: PackageLock): ChildProcess {
  const program = fileURLToPath(new URL("fixtures/make-layer-aside.ts", import.meta.url));
  const child = spawn(process.execPath, [program, folder, registry.url, JSON.stringify(lock)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  others.push(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

const names = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
const sized = (bytes: number): FakePackage => ({ "1.0.0": { entries: [{ path: "package/x", content: Buffer.alloc(bytes) }] } }); // prettier-ignore

describe("a process that is killed while it makes a layer", () => {
  it("is taken over by the next one, and what it left is removed [packages-whole]", async () => {
    const here = await open({ a: { "1.0.0": {} } });
    const lock = here.registry.lock("a");
    here.registry.intercept = (request) => request.url?.endsWith(".tgz") === true; // it hangs there
    const other = startAside(here, lock);
    await expect.poll(() => here.registry.requests.some(({ path }) => path.endsWith(".tgz")), { timeout: 15_000 }).toBe(true); // prettier-ignore
    const waiting = here.store.layer(lock, MINUTE());
    expect(here.leftovers()).toHaveLength(2); // its folder and its lock
    await kill(other);
    here.registry.intercept = undefined;
    expect((await waiting).files).toBe(1);
    await (await here.open()).close(); // a start removes what is left
    await expect.poll(here.leftovers).toEqual([]);
  });

  it("keeps nobody waiting who wants another layer", async () => {
    const here = await open({ a: { "1.0.0": {} }, b: { "1.0.0": {} } });
    mkdirSync(join(here.folder, "locks"), { recursive: true });
    writeFileSync(join(here.folder, "locks", "f".repeat(64)), "1-1");
    expect((await here.install("b")).files).toBe(1);
  });

  it("may have died before it wrote its name", async () => {
    const here = await open({ a: { "1.0.0": {} } });
    const lock = here.registry.lock("a");
    const { key } = await here.store.layer(lock, MINUTE());
    await here.store.close();
    const file = join(here.folder, "locks", key);
    writeFileSync(file, "");
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(file, longAgo, longAgo);
    const next = await here.open();
    expect((await next.layer(lock, MINUTE())).key).toBe(key);
  });
});

describe("a dead process's lock", () => {
  const key = "f".repeat(64);
  const dead = "1-1";

  async function openLocks() {
    const { folder } = await open({});
    const file = join(folder, "locks", key);
    mkdirSync(join(folder, "locks"), { recursive: true });
    mkdirSync(join(folder, "work"), { recursive: true });
    const read = () => (existsSync(file) ? readFileSync(file, "utf8") : undefined);
    return { file, read, aside: () => join(folder, "work", `${dead}.aside`), folder };
  }

  it("is taken over, and not by two: the second that saw it leaves the first one's alone", async () => {
    const { file, read, aside, folder } = await openLocks();
    writeFileSync(file, dead);
    expect(tryLock(file, ownOwner(), aside)).toBe(true);
    expect(read()).toBe(ownOwner());
    breakLock(file, dead, aside()); // saw it before
    expect(read()).toBe(ownOwner());
    expect(tryLock(file, ownOwner(), aside)).toBe(false);
    unlock(file, ownOwner());
    breakLock(file, dead, aside());
    expect(read()).toBeUndefined();
    expect(names(join(folder, "work"))).toEqual([]);
  });

  it("once it has been taken over is not given back by who had it", async () => {
    const { file, read } = await openLocks();
    writeFileSync(file, ownOwner());
    unlock(file, dead);
    expect(read()).toBe(ownOwner());
  });
});

describe("the budget", () => {
  const limits = { budgetBytes: 2_500 };
  const packages = { a: sized(1_000), b: sized(1_000), c: sized(1_000), d: sized(1_000) };

  it("lets go of what was not used for longest, and never of what is used [packages-whole]", async () => {
    const { install, folder, store } = await open(packages, { limits });
    const layers = () => names(join(folder, "layers"));
    const a = await install("a");
    const b = await install("b");
    b.release();
    b.release(); // twice is once
    const c = await install("c");
    expect(layers().toSorted()).toEqual([a.key, c.key].toSorted());
    const d = await install("d");
    expect(layers().toSorted()).toEqual([a.key, c.key, d.key].toSorted()); // over the budget, but all in use
    expect(await store.health()).toMatchObject({ layers: 3, budgetBytes: 2_500 });
    a.release();
    c.release();
    await install("b");
    expect(layers().toSorted()).toEqual([b.key, d.key].toSorted());
  });

  it("spares what another live process uses, and not what a dead one used", async () => {
    const here = await open(packages, { limits });
    const other = startAside(here, here.registry.lock("a"));
    const [said] = (await once(other.stdout ?? other, "data")) as [Buffer];
    const key = said.toString().replace("have ", "").trim();
    const layers = () => names(join(here.folder, "layers"));
    (await here.install("b")).release();
    (await here.install("c")).release();
    expect(layers()).toContain(key);
    await kill(other);
    (await here.install("d")).release();
    expect(layers()).not.toContain(key);
  });
});

describe("an owner", () => {
  it("is alive while that very process runs", async () => {
    expect(isAlive(ownOwner())).toBe(true);
    expect(isAlive("nonsense")).toBe(false);
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    others.push(child);
    const { pid = 0 } = child;
    expect(isAlive(`${pid}-0`)).toBe(true);
    if (process.platform === "linux") expect(isAlive(`${pid}-1`)).toBe(false); // a number that was given out again
    await kill(child);
    expect(isAlive(`${pid}-0`)).toBe(false);
  });
});
