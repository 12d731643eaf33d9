import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collectChanges, draft, write } from "../fixtures/samples.ts";
import type { Store } from "../store.ts";
import { createActors } from "./fixtures/actors.ts";
import { FILE_NAME } from "./place.ts";
import { createSqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";

describe("several processes on one SQLite store", () => {
  const actors = createActors();
  const opened: Store[] = [];
  let dataDir = "";
  const open = async (options: SqliteStoreOptions = {}) => {
    const store = await createSqliteStore({ dataDir, ...options });
    opened.push(store);
    return store;
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "dynamic-mcp-store-"));
  });
  afterEach(async () => {
    await actors.endAll();
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await rm(dataDir, { recursive: true });
  });

  it("loses none of six tools that six processes create at once in a fresh store [store-no-lost-writes]", async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const six = names.map((name) => actors.start("create", dataDir, name));
    expect(await Promise.all(six.map((actor) => actor.next()))).toEqual(names.map(() => "ready"));
    for (const actor of six) actor.go();
    const ids = await Promise.all(six.map((actor) => actor.next()));
    await Promise.all(six.map((actor) => actor.ended));
    const kept = await (await open()).items.list("tool");
    expect(kept.map(({ name }) => name)).toEqual(names);
    expect(kept.map(({ id }) => id)).toEqual(ids);
  });

  it("lets one of two processes win that expect the same revision [store-one-wins]", async () => {
    const store = await open();
    const { id } = await store.items.create(draft("one"), write());
    const two = [actors.start("update", dataDir, id), actors.start("update", dataDir, id)];
    await Promise.all(two.map((actor) => actor.next()));
    for (const actor of two) actor.go();
    const outcomes = await Promise.all(two.map((actor) => actor.next()));
    expect(outcomes).toContainEqual({ revision: 2 });
    expect(outcomes).toContainEqual({ code: "REVISION_CONFLICT", data: { current: 2, expected: 1 } });
  });

  it("sees what another process changed within a second, also when the store was not there yet [store-changes-seen]", async () => {
    const store = await open();
    const { seen, until } = collectChanges(store);
    const actor = actors.start("create", dataDir, "theirs");
    await actor.next();
    actor.go();
    const id = await actor.next();
    await until(() => seen.length > 0, 1_000);
    expect(seen).toMatchObject([{ item: id, action: "put" }]);
    expect((await store.items.list("tool")).map(({ name }) => name)).toEqual(["theirs"]);
  });

  it("reads on while another process holds the write lock for two seconds, and its own write waits [store-lock-freezes-nobody]", async () => {
    const store = await open();
    const { id } = await store.items.create(draft("one"), write());
    const actor = actors.start("lock", dataDir, "2000");
    expect(await actor.next()).toBe("locked");
    const startedAt = performance.now();
    const writing = store.items.update(id, { body: 2 }, write()).then(() => performance.now() - startedAt);
    let slowest = 0;
    let reads = 0;
    for (let isDone = false; !isDone; reads++) {
      const at = performance.now();
      expect(await store.items.list("tool")).toHaveLength(1);
      slowest = Math.max(slowest, performance.now() - at);
      isDone = await Promise.race([writing.then(() => true), new Promise<false>((r) => setImmediate(r, false))]);
    }
    expect(await writing).toBeGreaterThan(1_500);
    expect(slowest).toBeLessThan(200);
    expect(reads).toBeGreaterThan(100);
    expect((await store.items.get(id))?.body).toBe(2);
  });

  it("opens and reads while another process holds the write lock", async () => {
    await (await open()).items.create(draft("one"), write());
    const actor = actors.start("lock", dataDir, "60000");
    await actor.next();
    const startedAt = performance.now();
    expect(await (await open()).items.count("tool")).toBe(1);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it("gives a write up that waited too long, and makes the next one when the lock is free", async () => {
    const store = await open({ lockWaitMs: 300 });
    const { id } = await store.items.create(draft("one"), write());
    const actor = actors.start("lock", dataDir, "60000");
    await actor.next();
    await expect(store.items.update(id, { body: 2 }, write())).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect((await store.health()).isWritable).toBe(true);
    await actor.kill();
    expect(await store.items.update(id, { body: 3 }, write())).toMatchObject({ revision: 2, body: 3 });
  });

  it("says how long a write waited in all, also one that stood behind another", async () => {
    const store = await open({ lockWaitMs: 300 });
    const { id } = await store.items.create(draft("one"), write());
    const actor = actors.start("lock", dataDir, "60000");
    await actor.next();
    const first = store.items.update(id, { body: 2 }, write());
    await Promise.resolve();
    const behind = store.items.update(id, { body: 3 }, write());
    const ends = await Promise.allSettled([first, behind]);
    const waits = ends.map((end) => Number(/locked for ([\d.]+) s/.exec(String(end.status === "rejected" && end.reason))?.[1])); // prettier-ignore
    expect(waits[0]).toBeGreaterThanOrEqual(0.3);
    expect(waits[1]).toBeGreaterThanOrEqual(0.5);
  });

  it("tells a process that slept while changes were trimmed of every item", async () => {
    const store = await open({ changesKept: 10 });
    await store.items.create(draft("first"), write());
    const actor = actors.start("watch", dataDir);
    expect(await actor.next()).toBe("ready");
    actor.freeze();
    const drafts = Array.from({ length: 1_100 }, (_, n) => draft(`t${n}`));
    const made = await Promise.all(drafts.map((one) => store.items.create(one, write())));
    const db = new DatabaseSync(join(dataDir, FILE_NAME), { readOnly: true });
    expect(Number(db.prepare("SELECT count(*) AS n FROM changes").get()?.["n"])).toBeLessThan(800);
    db.close();
    actor.thaw();
    const told = new Set((await actor.next()) as string[]);
    expect(made.filter(({ id }) => !told.has(id))).toEqual([]);
  });

  it("does not keep a process alive that let go of nothing", async () => {
    const actor = actors.start("forget", dataDir);
    expect(await actor.rest()).toEqual(["done"]);
    await actor.ended;
    expect((await (await open()).items.list("tool")).map(({ name }) => name)).toEqual(["one"]);
  });

  it("has every acknowledged write and nothing half done after SIGKILL in the middle of a write [store-kill-safe]", async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      const folder = join(dataDir, String(round));
      const actor = actors.start("loop", folder);
      acknowledged.length = 0;
      while (acknowledged.length < 60 + round * 7) acknowledged.push(...((await actor.next()) as string[]));
      await actor.kill();
      acknowledged.push(...((await actor.rest()) as string[][]).flat());
      const store = await createSqliteStore({ dataDir: folder });
      opened.push(store);
      const kept = await store.items.list("tool");
      const names = new Set(kept.map(({ name }) => name));
      expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
      // Three are made in one transaction: all or none of them are there.
      expect(kept.length % 3).toBe(0);
      expect(kept.filter(({ quarantine }) => quarantine !== undefined)).toEqual([]);
      await store.items.create(draft("after"), write());
      const db = new DatabaseSync(join(folder, FILE_NAME));
      expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      db.close();
    }
  });
});
