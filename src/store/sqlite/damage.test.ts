import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { draft, write } from "../fixtures/samples.ts";
import type { Store } from "../store.ts";
import { SCHEMA_VERSION } from "./migrations.ts";
import { FILE_NAME } from "./place.ts";
import { createSqliteStore } from "./sqlite-store.ts";

describe("a damaged SQLite store", () => {
  const opened: Store[] = [];
  let dataDir = "";
  let file = "";
  const open = async () => {
    const store = await createSqliteStore({ dataDir });
    opened.push(store);
    return store;
  };
  const closeAll = () => Promise.all(opened.splice(0).map((store) => store.close()));
  /** What somebody, or a bad disk, does to the rows behind our back. */
  const tamper = (sql: string) => {
    const db = new DatabaseSync(file);
    db.exec(sql);
    db.close();
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "dynamic-mcp-store-"));
    file = join(dataDir, FILE_NAME);
  });
  afterEach(async () => {
    await closeAll();
    await rm(dataDir, { recursive: true });
  });

  const RUINS: [what: string, sql: string, reason: RegExp][] = [
    ["a body that is not JSON", `UPDATE revisions SET body = '{"code": "x'`, /body is not JSON/],
    ["a summary that is not JSON", "UPDATE items SET summary = 'oops'", /summary is not JSON/],
    ["a missing revision", "DELETE FROM revisions", /revision 1 is missing/],
    ["a revision number below 1", "UPDATE items SET revision = -3", /revision -3/],
    ["an unknown reach", "UPDATE items SET reach = 'galaxy'", /reach "galaxy"/],
    ["a session item without a session", "UPDATE items SET reach = 'session'", /names none/],
    ["a flag that is neither", "UPDATE items SET is_enabled = 7", /neither enabled nor disabled/],
    ["a time that is none", "UPDATE items SET updated_at = 'yesterday'", /times/],
    ["an empty name", "UPDATE items SET name = ''", /name is empty/],
    ["an id that is not ours", "UPDATE items SET id = 'x'", /id "x"/],
  ];
  it.each(RUINS)("lists %s with its reason, beside the sound items [store-quarantine]", async (_what, sql, reason) => {
    const store = await open();
    const bad = await store.items.create(draft("bad"), write());
    await store.items.create(draft("good"), write());
    await closeAll();
    const where = sql.includes("revisions") ? `item = '${bad.id}'` : `id = '${bad.id}'`;
    tamper(`PRAGMA foreign_keys = 0; ${sql} WHERE ${where}`);

    const late = await open();
    const list = await late.items.list("tool");
    expect(list).toHaveLength(2);
    const good = list.find(({ name }) => name === "good");
    expect(good?.quarantine).toBeUndefined();
    const ruined = list.find((item) => item !== good);
    expect(ruined?.quarantine).toMatch(reason);
    expect(ruined?.summary).toBe("{}");
    expect(await late.health()).toMatchObject({ items: 2, quarantined: 1, isWritable: true });
    expect((await late.items.get(ruined?.id ?? ""))?.quarantine).toBeDefined();
    await late.items.remove(ruined?.id ?? "", write("delete"));
    expect(await late.items.count("tool")).toBe(1);
    expect(await late.health()).toMatchObject({ items: 1, quarantined: 0 });
  });

  it("notices a body that does not match its digest when it is read, and lists it so from then on", async () => {
    const { id } = await (await open()).items.create(draft("bad"), write());
    await closeAll();
    tamper(`UPDATE revisions SET body = '{"code":"return process.env"}'`);
    const store = await open();
    const item = await store.items.get(id);
    expect(item?.quarantine).toMatch(/digest/);
    expect(item?.body).toBeNull();
    expect((await store.items.list("tool"))[0]?.quarantine).toMatch(/digest/);
    expect((await store.items.revision(id, 1))?.quarantine).toMatch(/digest/);
    expect(await store.health()).toMatchObject({ quarantined: 1 });
  });

  it("is healed by a whole write, not by one that would carry the damage on", async () => {
    const { id } = await (await open()).items.create(draft("bad"), write());
    await closeAll();
    tamper("UPDATE revisions SET body = 'x'; UPDATE items SET summary = 'x'");
    const store = await open();
    for (const change of [{ isEnabled: false }, { body: 1 }, { summary: "{}" }])
      await expect(store.items.update(id, change, write())).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    const healed = await store.items.update(id, { body: 1, summary: '{"a":1}' }, write());
    expect(healed).toMatchObject({ revision: 2, body: 1, summary: '{"a":1}' });
    expect(await store.items.get(id)).toEqual(healed);
    const revisions = await store.items.revisions(id, { limit: 5 });
    expect(revisions.map(({ n, quarantine }) => [n, quarantine === undefined])).toEqual([
      [2, true],
      [1, false],
    ]);
  });

  it("passes damaged channels and call records over", async () => {
    const store = await open();
    const channel = { id: "c", principal: "p", protocolVersion: "2025-11-25", initialize: "{}", subscriptions: [] };
    const times = { createdAt: "2026-01-01T00:00:00.000Z", expiresAt: "2026-01-01T01:00:00.000Z" };
    await store.channels.put({ ...channel, ...times });
    await closeAll();
    tamper("UPDATE channels SET subscriptions = '[1]'; INSERT INTO calls VALUES (1, 'x', '2026', 'n', 'p', '{')");
    const late = await open();
    expect(await late.channels.get("c", "2026-01-01T00:00:00.000Z")).toBeUndefined();
    expect(await late.calls.recent({ limit: 5 })).toEqual([]);
  });

  it("refuses a file that is not a database and leaves it as it is", async () => {
    const text = "this is a letter, not a database\n".repeat(200);
    await writeFile(file, text);
    await expect(open()).rejects.toMatchObject({ code: "STORE_DAMAGED", data: { file } });
    expect(await readFile(file, "utf8")).toBe(text);
  });

  it("refuses another program's database and leaves it as it is", async () => {
    tamper("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    const before = await readFile(file);
    await expect(open()).rejects.toMatchObject({ code: "STORE_DAMAGED", data: { file } });
    expect((await readFile(file)).equals(before)).toBe(true);
  });

  it("refuses a store of a newer version, also one that another process brought up to date meanwhile", async () => {
    const store = await open();
    await store.items.create(draft("one"), write());
    tamper(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    await expect(store.items.create(draft("two"), write())).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      data: { schemaVersion: SCHEMA_VERSION + 1, supported: SCHEMA_VERSION },
    });
    expect(await store.items.count("tool")).toBe(1);
    await closeAll();
    await expect(open()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  it("names the file when its pages are damaged, and overwrites nothing", async () => {
    const store = await open();
    for (let n = 0; n < 200; n++) void store.items.create(draft(`t${n}`, { body: "x".repeat(500) }), write());
    await closeAll();
    const pages = await readFile(file);
    const before = Buffer.from(pages);
    // Page 1 tells the version; everything behind it is ruined.
    pages.fill(0xa5, 4096);
    await writeFile(file, pages);
    const late = await createSqliteStore({ dataDir }).catch((error: Error) => error);
    if (!(late instanceof Error)) {
      opened.push(late);
      await expect(late.items.list("tool")).rejects.toMatchObject({ code: "STORE_DAMAGED", data: { file } });
      await expect(late.items.create(draft("new"), write())).rejects.toMatchObject({ code: "STORE_DAMAGED" });
      expect((await late.health()).problem).toContain(file);
      await closeAll();
    } else expect(late).toMatchObject({ code: "STORE_DAMAGED", data: { file } });
    expect((await readFile(file)).equals(pages)).toBe(true);
    await writeFile(file, before);
    expect(await (await open()).items.count("tool")).toBe(200);
  });

  it("takes an empty file for a fresh store", async () => {
    await writeFile(file, "");
    const store = await open();
    expect(await store.items.list("tool")).toEqual([]);
    await store.items.create(draft("one"), write());
    expect(await store.items.count("tool")).toBe(1);
  });
});
