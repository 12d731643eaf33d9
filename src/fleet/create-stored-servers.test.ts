import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../core/source.ts";
import { createSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { createStoredServers } from "./create-stored-servers.ts";

const dataDir = mkdtempSync(join(tmpdir(), "stored-servers-"));
let store: Store;
let other: Store;
beforeAll(async () => {
  store = await createSqliteStore({ dataDir });
  other = await createSqliteStore({ dataDir });
});
afterAll(async () => {
  await Promise.all([store.close(), other.close()]);
  rmSync(dataDir, { recursive: true });
});

const servers = (on: Store = store, more: { maxServers?: number; isReadOnly?: boolean } = {}) =>
  createStoredServers({ store: on, owner: "local", maxServers: 1000, log: SILENT, now: () => 0, ...more });

describe("stored servers", () => {
  it("are kept as they were typed", async () => {
    const kept = servers();
    expect(await kept.put("one", { command: "npx", env: { T: "${TOKEN}" } })).toBe("added");
    expect(await kept.put("a.b", { url: "http://h" })).toBe("added");
    expect(await kept.list()).toEqual([
      { name: "a.b", definition: { url: "http://h" }, updatedAt: "1970-01-01T00:00:00.000Z" },
      { name: "one", definition: { command: "npx", env: { T: "${TOKEN}" } }, updatedAt: "1970-01-01T00:00:00.000Z" },
    ]);
    expect(await kept.get("a_b")).toMatchObject({ name: "a.b" });
  });

  it("are replaced only when that is asked for", async () => {
    const kept = servers();
    await kept.put("two", { command: "a" });
    await expect(kept.put("two", { command: "b" })).rejects.toMatchObject({ code: "NAME_TAKEN", data: { name: "two" } }); // prettier-ignore
    expect(await kept.put("two", { command: "b" }, { replace: true })).toBe("replaced");
    expect(await kept.get("two")).toMatchObject({ definition: { command: "b" } });
    await kept.remove("two");
    expect(await kept.get("two")).toBeUndefined();
    await expect(kept.remove("too")).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
    await expect(kept.remove("oen")).rejects.toMatchObject({ message: expect.stringContaining('did you mean "one"?') });
  });

  it("have names that can stand before those of tools, and bounds", async () => {
    const kept = servers();
    for (const name of ["", "a b", "-a", "x".repeat(65), "a/b", "ü"]) {
      await expect(kept.put(name, {})).rejects.toMatchObject({ code: "INVALID_NAME" });
    }
    const edge = "x".repeat(64);
    await kept.put(edge, {});
    await kept.remove(edge);
    const description = (chars: number) => ({ description: "x".repeat(chars - '{"description":""}'.length) });
    await expect(kept.put("large", description(262_145))).rejects.toMatchObject({ code: "TOO_LARGE" });
    await kept.put("large", description(262_144));
    await kept.remove("large");
    const count = (await kept.list()).length;
    await expect(servers(store, { maxServers: count }).put("more", {})).rejects.toMatchObject({ code: "SERVER_LIMIT" });
    await expect(servers(store, { isReadOnly: true }).put("more", {})).rejects.toMatchObject({ code: "READ_ONLY" });
  });

  it("are told to those who follow: here before the write answers, elsewhere soon", async () => {
    const here = servers();
    const there = servers(other);
    const names: string[][] = [[], []];
    const restarted: string[][] = [[], []];
    const following = [here, there].map((each, index) =>
      each.follow({
        onServers: (list) => void (names[index] = list.map(({ name }) => name)),
        onRestart: (name) => void restarted[index]?.push(name),
      }),
    );
    await expect.poll(() => names[1]).toEqual(["a.b", "one"]);
    await here.put("new", {});
    expect(names[0]).toEqual(["a.b", "new", "one"]);
    await expect.poll(() => names[1], { timeout: 3_000 }).toEqual(["a.b", "new", "one"]);
    await here.remove("new");
    expect(names[0]).toEqual(["a.b", "one"]);
    for (let times = 1; times <= 2; times++) {
      await there.restart("from a file");
      await expect.poll(() => restarted, { timeout: 3_000 }).toEqual([Array(times).fill("from a file"), Array(times).fill("from a file")]); // prettier-ignore
    }
    for (const each of following) each.close();
    await here.put("unseen", {});
    expect(names[0]).toEqual(["a.b", "one"]);
    await here.remove("unseen");
  });
});
