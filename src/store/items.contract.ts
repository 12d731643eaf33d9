import { describe, expect, it } from "vitest";
import type { Json } from "../core/json.ts";
import { draft, write } from "./fixtures/samples.ts";
import type { Store } from "./store.ts";

/** The part of the contract about items and revisions; see `store.contract.ts`. */
export function describeItemContract(use: () => { store: Store; another(): Promise<Store> }): void {
  describe("items", () => {
    it("answers from an empty store", async () => {
      const { store } = use();
      expect(await store.items.list("tool")).toEqual([]);
      expect(await store.items.count("tool")).toBe(0);
      expect(await store.items.get("01ARZ3NDEKTSV4RRFFQ69G5FAV")).toBeUndefined();
      expect(await store.items.find("tool", "x", { reach: "shared", owner: "local" })).toBeUndefined();
      expect(await store.items.revisions("x", { limit: 5 })).toEqual([]);
      expect(await store.items.revision("x", 1)).toBeUndefined();
    });

    it("keeps a new item at revision 1, for every opening", async () => {
      const { store, another } = use();
      const made = await store.items.create(draft("text.upper"), write());
      expect(made).toEqual({
        ...draft("text.upper"),
        id: made.id,
        revision: 1,
        createdAt: write().at,
        updatedAt: write().at,
        digest: made.digest,
        author: "local",
      });
      expect(made.id).toMatch(/^[0-9A-Z]{26}$/);
      expect(made.digest).toMatch(/^[0-9a-f]{64}$/);
      const other = await another();
      expect(await other.items.get(made.id)).toEqual(made);
      expect(await other.items.find("tool", "text_upper", { reach: "shared", owner: "anybody" })).toEqual(made);
      const { body: _body, digest: _digest, author: _author, ...head } = made;
      expect(await other.items.list("tool")).toEqual([head]);
    });

    it("gives texts and bodies back as they went in", async () => {
      const { store, another } = use();
      const body = JSON.parse(
        '{"z":1,"a":[null,true,1.5e300,"\\u0000 \\ud83e\\udd80 \\ud800 \\u2028"],"__proto__":{"x":1},"":{"constructor":[]}}',
      ) as Json;
      const summary = '{ "odd" :\t"spacing \u0001"}'.replace("\u0001", "\\u0001");
      const made = await store.items.create(draft("odd", { body, summary }), write("create \u{1f980}\u0001"));
      const kept = await (await another()).items.get(made.id);
      expect(JSON.stringify(kept?.body)).toBe(JSON.stringify(body));
      expect(kept?.summary).toBe(summary);
      expect(kept?.quarantine).toBeUndefined();
      expect((await store.items.revision(made.id, 1))?.change).toBe("create \u{1f980}\u0001");
    });

    it("refuses texts with NUL, which not every backend gives back", async () => {
      const { store } = use();
      const refused = { code: "INVALID_ARGUMENTS" };
      for (const bad of [draft("a\0b"), draft("a", { owner: "ann\0bob" }), draft("a", { summary: '"\0"' })])
        await expect(store.items.create(bad, write())).rejects.toMatchObject(refused);
      const { id } = await store.items.create(draft("a"), write());
      await expect(store.items.update(id, { name: "\0" }, write())).rejects.toMatchObject(refused);
      await expect(store.items.remove(id, { ...write(), author: "\0" })).rejects.toMatchObject(refused);
      expect((await store.items.list("tool")).map(({ name }) => name)).toEqual(["a"]);
    });

    it("keeps deep and large bodies", async () => {
      const { store } = use();
      const deep = JSON.parse("[".repeat(1_500) + "]".repeat(1_500)) as Json;
      const large = { code: "x".repeat(1_000_000) };
      const [a, b] = await Promise.all([
        store.items.create(draft("deep", { body: deep }), write()),
        store.items.create(draft("large", { body: large }), write()),
      ]);
      expect(JSON.stringify((await store.items.get(a.id))?.body)).toHaveLength(3_000);
      expect((await store.items.get(b.id))?.body).toEqual(large);
      expect((await store.items.list("tool")).map(({ quarantine }) => quarantine)).toEqual([undefined, undefined]);
    });

    it("has one digest for one value, whatever the order of its keys", async () => {
      const { store } = use();
      const one = await store.items.create(draft("one", { body: { a: 1, b: { c: 2, d: 3 } } }), write());
      const two = await store.items.create(draft("two", { body: { b: { d: 3, c: 2 }, a: 1 } }), write());
      const three = await store.items.create(draft("three", { body: { a: 1, b: { c: 2, d: 4 } } }), write());
      expect(two.digest).toBe(one.digest);
      expect(three.digest).not.toBe(one.digest);
    });

    it("lists in the order of keys, kinds apart", async () => {
      const { store } = use();
      for (const name of ["b", "a.z", "A", "a-z", "c"]) await store.items.create(draft(name), write());
      await store.items.create(draft("s", { kind: "server" }), write());
      expect((await store.items.list("tool")).map(({ key }) => key)).toEqual(["A", "a-z", "a_z", "b", "c"]);
      expect(await store.items.count("tool")).toBe(5);
      expect((await store.items.list("server")).map(({ name }) => name)).toEqual(["s"]);
    });

    it("makes ids in the order of creation", async () => {
      const { store } = use();
      const made = await Promise.all(["c", "a", "b"].map((name) => store.items.create(draft(name), write())));
      const ids = made.map(({ id }) => id);
      expect(ids).toEqual(ids.toSorted());
      expect(new Set(ids).size).toBe(3);
    });

    it("refuses a name that is taken in the same place, and only there", async () => {
      const { store } = use();
      await store.items.create(draft("a.b"), write());
      await expect(store.items.create(draft("a_b"), write())).rejects.toMatchObject({
        code: "NAME_TAKEN",
        data: { name: "a.b" },
      });
      await expect(store.items.create(draft("a.b", { owner: "other" }), write())).rejects.toMatchObject({
        code: "NAME_TAKEN",
      });
      const places = [
        { reach: "user", owner: "ann" },
        { reach: "user", owner: "bob" },
        { reach: "session", owner: "ann", session: "s1" },
        { reach: "session", owner: "ann", session: "s2" },
      ] as const;
      for (const place of places) {
        const made = await store.items.create(draft("a.b", place), write());
        await expect(store.items.create(draft("a.b", place), write())).rejects.toMatchObject({ code: "NAME_TAKEN" });
        expect((await store.items.find("tool", "a_b", place))?.id).toBe(made.id);
      }
      await store.items.create(draft("a.b", { kind: "prompt" }), write());
      expect(await store.items.count("tool")).toBe(5);
    });

    it("counts the limit in the same transaction", async () => {
      const { store, another } = use();
      const other = await another();
      await store.items.create(draft("a server", { kind: "server" }), write());
      const ends = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) => (n % 2 ? store : other).items.create(draft(`t${n}`), write(), 3)),
      );
      expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
      const refused = ends.filter((end) => end.status === "rejected");
      for (const { reason } of refused) expect(reason).toMatchObject({ code: "TOOL_LIMIT", data: { max: 3 } });
      const [first] = await store.items.list("tool");
      await store.items.remove(first?.id ?? "", write("delete"));
      await store.items.create(draft("again"), write(), 3);
      expect(await store.items.count("tool")).toBe(3);
    });

    it("changes what is given and leaves the rest", async () => {
      const { store } = use();
      const made = await store.items.create(draft("one"), write());
      const later = write("disable", "2026-01-02T00:00:00.000Z");
      const disabled = await store.items.update(made.id, { isEnabled: false }, { ...later, author: "ann" });
      expect(disabled).toEqual({ ...made, isEnabled: false, revision: 2, updatedAt: later.at, author: "ann" });
      const rewritten = await store.items.update(made.id, { body: [2], summary: '{"v":3}' }, later, 2);
      expect(rewritten).toMatchObject({ revision: 3, body: [2], summary: '{"v":3}', isEnabled: false, name: "one" });
      expect(rewritten.digest).not.toBe(made.digest);
      expect(await store.items.get(made.id)).toEqual(rewritten);
      const emptied = await store.items.update(made.id, { body: null }, later);
      expect(emptied.body).toBeNull();
    });

    it("renames, unless the name is taken", async () => {
      const { store } = use();
      const made = await store.items.create(draft("one"), write());
      await store.items.create(draft("two"), write());
      await expect(store.items.update(made.id, { name: "two", key: "two" }, write())).rejects.toMatchObject({
        code: "NAME_TAKEN",
        data: { name: "two" },
      });
      await store.items.update(made.id, { name: "o.ne", key: "o_ne" }, write("rename"));
      await store.items.update(made.id, { name: "o:ne", key: "o_ne" }, write("rename"));
      expect((await store.items.list("tool")).map(({ name, id }) => [name, id === made.id])).toEqual([
        ["o:ne", true],
        ["two", false],
      ]);
      await store.items.create(draft("one"), write());
    });

    it("lets one of two win who expect the same revision", async () => {
      const { store, another } = use();
      const made = await store.items.create(draft("one"), write());
      const other = await another();
      const ends = await Promise.allSettled([
        store.items.update(made.id, { body: "a" }, write(), 1),
        other.items.update(made.id, { body: "b" }, write(), 1),
      ]);
      expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      const lost = ends.find((end) => end.status === "rejected");
      expect(lost?.reason).toMatchObject({ code: "REVISION_CONFLICT", data: { current: 2, expected: 1 } });
      expect((await store.items.get(made.id))?.revision).toBe(2);
    });

    it("takes an item out of lists and keeps its revisions", async () => {
      const { store } = use();
      const made = await store.items.create(draft("one"), write());
      await store.items.update(made.id, { body: 2 }, write("update"));
      await expect(store.items.remove(made.id, write("delete"), 1)).rejects.toMatchObject({
        code: "REVISION_CONFLICT",
        data: { current: 2, expected: 1 },
      });
      const removed = await store.items.remove(made.id, write("delete", "2026-01-03T00:00:00.000Z"), 2);
      expect(removed).toMatchObject({ id: made.id, name: "one", updatedAt: "2026-01-03T00:00:00.000Z" });
      expect(await store.items.list("tool")).toEqual([]);
      expect(await store.items.get(made.id)).toBeUndefined();
      expect(await store.items.find("tool", "one", draft("one"))).toBeUndefined();
      expect((await store.items.revisions(made.id, { limit: 5 })).map(({ n }) => n)).toEqual([2, 1]);
      for (const again of [
        store.items.remove(made.id, write("delete")),
        store.items.update(made.id, { body: 3 }, write("update")),
      ])
        await expect(again).rejects.toMatchObject({ code: "TOOL_NOT_FOUND" });
      const next = await store.items.create(draft("one"), write());
      expect(next.id).not.toBe(made.id);
      expect(next.revision).toBe(1);
    });

    it("pages revisions, newest first", async () => {
      const { store } = use();
      const made = await store.items.create(draft("one"), write());
      for (let n = 2; n <= 5; n++) await store.items.update(made.id, { body: { n } }, write(`update ${n}`));
      const page = await store.items.revisions(made.id, { limit: 2 });
      expect(page.map(({ n, change, body }) => [n, change, body])).toEqual([
        [5, "update 5", { n: 5 }],
        [4, "update 4", { n: 4 }],
      ]);
      expect((await store.items.revisions(made.id, { limit: 9, before: 4 })).map(({ n }) => n)).toEqual([3, 2, 1]);
      expect(await store.items.revision(made.id, 1)).toEqual({
        item: made.id,
        n: 1,
        name: "one",
        isEnabled: true,
        summary: made.summary,
        body: made.body,
        digest: made.digest,
        author: "local",
        at: write().at,
        change: "create",
      });
      expect(await store.items.revision(made.id, 6)).toBeUndefined();
    });

    it("undoes nothing of its neighbours when one write of a batch is refused", async () => {
      const { store } = use();
      const ends = await Promise.allSettled(
        ["a", "b", "a", "c", "b"].map((name) => store.items.create(draft(name), write())),
      );
      expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled", "rejected"]);
      expect((await store.items.list("tool")).map(({ name }) => name)).toEqual(["a", "b", "c"]);
    });
  });
}
