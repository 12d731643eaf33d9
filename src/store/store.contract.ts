import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CallRecord } from "../core/call.ts";
import { describeItemContract } from "./items.contract.ts";
import { describeKeptContract } from "./kept.contract.ts";
import { collectChanges, draft, write } from "./fixtures/samples.ts";
import type { Channel, Store } from "./store.ts";

/** An empty store of one backend, for one test. */
export interface OpenedStore {
  store: Store;
  /** Another opening of the same store, as another process has it; closed by the suite. */
  reopen(): Promise<Store>;
  /** Closes `store` and removes what it left behind. */
  close(): Promise<void>;
}

/** What every backend promises. Beside it, a backend tests what its own files, locks and servers can do wrong. */
export function describeStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store contract: ${name}`, () => {
    let opened: OpenedStore;
    let store: Store;
    const others: Store[] = [];
    const another = async () => {
      const other = await opened.reopen();
      others.push(other);
      return other;
    };

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(async () => {
      await Promise.all(others.splice(0).map((other) => other.close()));
      await opened.close();
    });

    describeItemContract(() => ({ store, another }));
    describeKeptContract(() => ({ store, another }));

    describe("changes", () => {
      it("tells of its own writes before they are answered, in order", async () => {
        const { seen } = collectChanges(store);
        const first = await store.items.create(draft("first"), write());
        expect(seen.map(({ item, action }) => [item, action])).toEqual([[first.id, "put"]]);
        await store.items.update(first.id, { isEnabled: false }, write("disable"));
        await store.items.remove(first.id, write("delete"));
        expect(seen.map(({ action }) => action)).toEqual(["put", "put", "remove"]);
        expect(seen.every(({ topic, kind }) => topic === "items" && kind === "tool")).toBe(true);
        const seqs = seen.map(({ seq }) => seq);
        expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
      });

      it("tells of writes of another opening within a second: none twice, none lost", async () => {
        const other = await another();
        const { seen, until } = collectChanges(store);
        const made = await Promise.all(
          Array.from({ length: 30 }, (_, n) => (n % 2 ? store : other).items.create(draft(`tool${n}`), write())),
        );
        await until(() => seen.length >= made.length, 1_000);
        expect(seen.map(({ item }) => item).toSorted()).toEqual(made.map(({ id }) => id).toSorted());
      });

      it("says nothing of what was before, and nothing after the end of the subscription", async () => {
        await store.items.create(draft("before"), write());
        const { seen, stop } = collectChanges(store);
        await store.items.create(draft("during"), write());
        stop();
        stop();
        await store.items.create(draft("after"), write());
        expect(seen).toHaveLength(1);
      });

      it("goes on when a listener throws", async () => {
        store.changes.subscribe(() => {
          throw new Error("a bug of a listener");
        });
        const { seen } = collectChanges(store);
        await store.items.create(draft("one"), write());
        expect(seen).toHaveLength(1);
      });

      it("says nothing of refused writes", async () => {
        await store.items.create(draft("one"), write());
        const { seen } = collectChanges(store);
        await expect(store.items.create(draft("one"), write())).rejects.toMatchObject({ code: "NAME_TAKEN" });
        expect(seen).toEqual([]);
      });
    });

    describe("calls", () => {
      it("gives records back as they were, newest first, with filters and a limit", async () => {
        const records = Array.from({ length: 10 }, (_, n) => call(n, n % 2 ? "odd" : "even"));
        await store.calls.append(records.slice(0, 5));
        await store.calls.append(records.slice(5));
        await store.calls.append([]);
        expect(await store.calls.recent({ limit: 100 })).toEqual(records.toReversed());
        expect((await store.calls.recent({ limit: 2, tool: "odd" })).map(({ id }) => id)).toEqual(["call9", "call7"]);
        const since = records[8]?.at ?? "";
        expect((await store.calls.recent({ limit: 100, since })).map(({ id }) => id)).toEqual(["call9", "call8"]);
      });

      it("shows records to other openings", async () => {
        await store.calls.append([call(1, "one")]);
        expect(await (await another()).calls.recent({ limit: 1 })).toEqual([call(1, "one")]);
      });

      it("prunes what is older than a moment, and only that", async () => {
        await store.calls.append(Array.from({ length: 2_500 }, (_, n) => call(n, "tool")));
        expect(await store.calls.prune(call(2_499, "").at)).toBe(2_499);
        expect((await store.calls.recent({ limit: 5 })).map(({ id }) => id)).toEqual(["call2499"]);
        expect(await store.calls.prune(call(2_499, "").at)).toBe(0);
      });
    });

    describe("channels", () => {
      it("gives a channel back to another opening until it expires", async () => {
        await store.channels.put(channel("a", { logLevel: "debug", subscriptions: ["x://1", "x://2"] }));
        const other = await another();
        const kept = await other.channels.get("a", "2026-01-01T00:59:59.999Z");
        expect(kept).toEqual(channel("a", { logLevel: "debug", subscriptions: ["x://1", "x://2"] }));
        expect(await other.channels.get("a", "2026-01-01T01:00:00.000Z")).toBeUndefined();
        expect(await store.channels.get("b", "2026-01-01T00:00:00.000Z")).toBeUndefined();
      });

      it("replaces, removes and counts", async () => {
        await store.channels.put(channel("a", { logLevel: "debug" }));
        await store.channels.put(channel("a"));
        await store.channels.put(channel("b"));
        expect(await store.channels.get("a", "2026-01-01T00:00:00.000Z")).toEqual(channel("a"));
        expect(await store.channels.count("2026-01-01T00:00:00.000Z")).toBe(2);
        await store.channels.remove("a");
        await store.channels.remove("never there");
        expect(await store.channels.get("a", "2026-01-01T00:00:00.000Z")).toBeUndefined();
        expect(await store.channels.count("2026-01-01T00:00:00.000Z")).toBe(1);
      });

      it("moves the expiry forward, never back, and passes unknown ids over", async () => {
        await store.channels.put(channel("a"));
        await store.channels.touch("a", "2026-01-01T02:00:00.000Z");
        await store.channels.touch("a", "2026-01-01T01:30:00.000Z");
        await store.channels.touch("unknown", "2026-01-01T02:00:00.000Z");
        const kept = await store.channels.get("a", "2026-01-01T01:59:00.000Z");
        expect(kept?.expiresAt).toBe("2026-01-01T02:00:00.000Z");
        expect(await store.channels.count("2026-01-01T00:00:00.000Z")).toBe(1);
      });

      it("prunes the expired and names them", async () => {
        await store.channels.put(channel("a"));
        await store.channels.put(channel("b", { expiresAt: "2026-01-01T05:00:00.000Z" }));
        expect(await store.channels.prune("2026-01-01T02:00:00.000Z")).toEqual(["a"]);
        expect(await store.channels.prune("2026-01-01T02:00:00.000Z")).toEqual([]);
        expect(await store.channels.count("2026-01-01T02:00:00.000Z")).toBe(1);
      });
    });

    describe("secrets", () => {
      const secret = (name: string, text: string) => ({
        name,
        sealed: Buffer.from(text),
        updatedAt: "2026-01-01T00:00:00.000Z",
      });
      const bytes = async (from: Store, name: string) => {
        const kept = await from.secrets.get(name);
        return kept && Buffer.from(kept.sealed).toString();
      };

      it("are kept byte for byte, replaced and removed, for every opening", async () => {
        const other = await another();
        await store.secrets.put({ ...secret("A", ""), sealed: Uint8Array.from({ length: 256 }, (_, n) => n) });
        expect([...((await other.secrets.get("A"))?.sealed ?? [])]).toEqual(Array.from({ length: 256 }, (_, n) => n));
        await other.secrets.put(secret("A", "two"));
        expect(await bytes(store, "A")).toBe("two");
        expect(await store.secrets.remove("A")).toBe(true);
        expect(await other.secrets.remove("A")).toBe(false);
        expect(await other.secrets.get("A")).toBeUndefined();
      });

      it("are listed by name, without their bytes; names differ by case", async () => {
        expect(await store.secrets.list()).toEqual([]);
        for (const name of ["b", "A", "a"]) await store.secrets.put(secret(name, name));
        expect(await (await another()).secrets.list()).toEqual(
          ["A", "a", "b"].map((name) => ({ name, updatedAt: "2026-01-01T00:00:00.000Z" })),
        );
        expect(await bytes(store, "a")).toBe("a");
        await expect(store.secrets.put(secret("a\0b", ""))).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
      });
    });

    describe("the rest", () => {
      it("has one shared key for a name, whoever asks first", async () => {
        const other = await another();
        const keys = await Promise.all([
          store.sharedKey("cursor"),
          other.sharedKey("cursor"),
          store.sharedKey("cursor"),
        ]);
        expect(keys[0]).toHaveLength(32);
        expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(1);
        expect(Buffer.from(await store.sharedKey("another")).equals(Buffer.from(keys[0]))).toBe(false);
      });

      it("tells its health", async () => {
        await store.items.create(draft("one"), write());
        const health = await store.health();
        expect(health).toMatchObject({ isWritable: true, items: 1, quarantined: 0 });
        expect(health.problem).toBeUndefined();
        expect(health.schemaVersion).toBeGreaterThan(0);
      });

      it("finishes writes under way at close, then refuses; closing twice is fine", async () => {
        const other = await another();
        const writing = other.items.create(draft("late"), write());
        await Promise.all([other.close(), other.close()]);
        await expect(writing).resolves.toMatchObject({ name: "late" });
        await expect(other.items.create(draft("later"), write())).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
        await expect(other.items.list("tool")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
        expect((await store.items.list("tool")).map(({ name: n }) => n)).toEqual(["late"]);
      });
    });
  });
}

function call(n: number, name: string): CallRecord {
  return {
    id: `call${n}`,
    at: new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString(),
    requestId: `r${n}`,
    principal: "local",
    kind: "tool",
    name,
    outcome: "done",
    durationMs: 1.5,
    logs: ["a line\nwith \u0000 and \u{1f980}"],
  };
}

function channel(id: string, more: Partial<Channel> = {}): Channel {
  return {
    id,
    principal: "local",
    protocolVersion: "2025-11-25",
    initialize: '{"capabilities":{}, "clientInfo":{"name":"c"}}',
    subscriptions: [],
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: "2026-01-01T01:00:00.000Z",
    ...more,
  };
}
