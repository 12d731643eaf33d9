import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { existsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { draft, write } from "../fixtures/samples.ts";
import type { Store } from "../store.ts";
import { mountSmallDisk } from "../../../test/support/small-disk.ts";
import { FILE_NAME } from "./place.ts";
import { createSqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";

describe("a SQLite store on a disk with troubles", () => {
  const opened: Store[] = [];
  let dataDir = "";
  const openAt = async (folder: string, options: SqliteStoreOptions = {}) => {
    const store = await createSqliteStore({ dataDir: folder, ...options });
    opened.push(store);
    return store;
  };
  const closeAll = () => Promise.all(opened.splice(0).map((store) => store.close()));

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "dynamic-mcp-store-"));
  });
  afterEach(async () => {
    await closeAll();
    await rm(dataDir, { recursive: true });
  });

  it("makes nothing and starts no thread before the first write", async () => {
    const folder = join(dataDir, "fresh");
    const store = await openAt(folder, { writer: new URL("file:///there/is/no/such/program.js") });
    expect(await store.items.list("tool")).toEqual([]);
    expect(await store.health()).toMatchObject({ isWritable: true, items: 0 });
    expect(existsSync(join(folder, FILE_NAME))).toBe(false);
  });

  it("opens and reads an existing store without the writing thread", async () => {
    await (await openAt(dataDir)).items.create(draft("one"), write());
    await closeAll();
    const store = await openAt(dataDir, { writer: new URL("file:///there/is/no/such/program.js") });
    expect(await store.items.count("tool")).toBe(1);
    await expect(store.items.create(draft("two"), write())).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(store.items.create(draft("two"), write())).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await store.health()).toMatchObject({ isWritable: false, items: 1 });
  });

  it("keeps its file from other users", async ({ skip }) => {
    skip(process.platform === "win32", "Windows has no modes");
    const folder = join(dataDir, "private");
    const store = await openAt(folder);
    await store.items.create(draft("one"), write());
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const end of ["", "-wal", "-shm"]) expect(statSync(join(folder, FILE_NAME + end)).mode & 0o777).toBe(0o600);
  });

  it("says so when the data directory is a file", async () => {
    const file = join(dataDir, "a-file");
    await writeFile(file, "x");
    await expect(openAt(file)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(openAt(join(file, "below"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  it("reads on when its file is removed, refuses to write, and writes again when it is back", async () => {
    const store = await openAt(dataDir);
    const { id } = await store.items.create(draft("one"), write());
    const [file, away] = [join(dataDir, FILE_NAME), join(dataDir, "away")];
    for (const end of ["", "-wal", "-shm"]) await rename(file + end, away + end);
    expect(await store.items.count("tool")).toBe(1);
    await expect(store.items.create(draft("two"), write())).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await store.health()).toMatchObject({ isWritable: false, items: 1 });
    expect(existsSync(file)).toBe(false);
    for (const end of ["", "-wal", "-shm"]) await rename(away + end, file + end);
    await store.items.create(draft("two"), write());
    expect((await store.items.get(id))?.name).toBe("one");
    expect(await store.items.count("tool")).toBe(2);
    expect(await store.health()).toMatchObject({ isWritable: true, items: 2 });
  });

  it("takes up another store that is put in its place", async () => {
    const folder = join(dataDir, "other");
    await (await openAt(folder)).items.create(draft("other"), write());
    await closeAll();
    const store = await openAt(dataDir);
    await store.items.create(draft("one"), write());
    const file = join(dataDir, FILE_NAME);
    for (const end of ["-wal", "-shm", ""]) await rm(file + end);
    await rename(join(folder, FILE_NAME), file);
    await store.items.create(draft("two"), write());
    await expect
      .poll(async () => (await store.items.list("tool")).map(({ name }) => name), { timeout: 2_000 })
      .toEqual(["other", "two"]);
  });

  it("refuses writes on a full disk, reads on, and writes again when there is room [store-sick-disk]", async ({
    skip,
  }) => {
    const disk = mountSmallDisk(512);
    if (!disk) return skip("no disk can be mounted here: needs Linux and root");
    try {
      const store = await openAt(disk.folder);
      await store.items.create(draft("one"), write());
      await fill(join(disk.folder, "filler"));
      const large = draft("large", { body: "x".repeat(300_000) });
      const ends = await Promise.allSettled([store.items.create(large, write()), store.items.create(large, write())]);
      for (const end of ends) expect(end).toMatchObject({ reason: { code: "STORE_UNAVAILABLE" } });
      expect((await store.items.list("tool")).map(({ name }) => name)).toEqual(["one"]);
      expect(await store.health()).toMatchObject({ isWritable: false, items: 1 });
      await rm(join(disk.folder, "filler"));
      await expect.poll(async () => (await store.health()).isWritable, { timeout: 5_000 }).toBe(true);
      await store.items.create(draft("two"), write());
      expect((await store.items.list("tool")).map(({ name }) => name)).toEqual(["one", "two"]);
      await fill(join(disk.folder, "filler"));
      const late = await openAt(disk.folder);
      expect(await late.items.count("tool")).toBe(2);
    } finally {
      await closeAll();
      disk.remove();
    }
  });

  it("reads a store on a read-only disk, and writes once it is writable", async ({ skip }) => {
    const disk = mountSmallDisk(2_048);
    if (!disk) return skip("no disk can be mounted here: needs Linux and root");
    try {
      await (await openAt(disk.folder)).items.create(draft("one"), write());
      await closeAll();
      disk.makeReadOnly();
      const store = await openAt(disk.folder);
      expect((await store.items.list("tool")).map(({ name }) => name)).toEqual(["one"]);
      const health = await store.health();
      expect(health).toMatchObject({ isWritable: false, items: 1 });
      expect(health.problem).toContain(disk.folder);
      await expect(store.items.create(draft("two"), write())).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      await expect(store.sharedKey("cursor")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      disk.makeWritable();
      await store.items.create(draft("two"), write());
      await expect.poll(() => store.items.count("tool"), { timeout: 2_000 }).toBe(2);
      expect(await store.health()).toMatchObject({ isWritable: true });
    } finally {
      await closeAll();
      disk.remove();
    }
  });

  it("reads what a crash left in the log on a disk that became read-only", async ({ skip }) => {
    const disk = mountSmallDisk(4_096);
    if (!disk) return skip("no disk can be mounted here: needs Linux and root");
    try {
      const store = await openAt(dataDir);
      await store.items.create(draft("one"), write());
      // The log of a store that is open is what a crash leaves.
      for (const end of ["", "-wal", "-shm"])
        await writeFile(join(disk.folder, FILE_NAME + end), await readFile(join(dataDir, FILE_NAME + end)));
      disk.makeReadOnly();
      const late = await openAt(disk.folder);
      expect((await late.items.list("tool")).map(({ name }) => name)).toEqual(["one"]);
    } finally {
      await closeAll();
      disk.remove();
    }
  });
});

/** Takes all the room there is. */
async function fill(file: string): Promise<void> {
  await writeFile(file, Buffer.alloc(8 * 1024 * 1024)).catch(() => undefined);
}
