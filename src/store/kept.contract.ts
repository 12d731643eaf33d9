import { describe, expect, it } from "vitest";
import type { KeptResult, Store } from "./store.ts";

const NOW = "2026-01-01T00:30:00.000Z";
const LARGE = { maxBytes: 64 * 1024 * 1024 };

function kept(handle: string, text: string, more: Partial<KeptResult> = {}): KeptResult {
  return {
    handle,
    principal: "ann",
    tool: "report",
    mimeType: "text/plain",
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: "2026-01-01T01:00:00.000Z",
    chars: text.length,
    ...more,
  };
}

/** What every backend promises about what it keeps for others: large results, lists of servers, signals of searches. */
export function describeKeptContract(opened: () => { store: Store; another: () => Promise<Store> }): void {
  describe("results", () => {
    const put = (text: string, handle: string, more: Partial<KeptResult> = {}, limit = LARGE) =>
      opened().store.results.put(kept(handle, text, more), text, limit);
    const get = (handle: string, principal = "ann", now = NOW) => opened().store.results.get(handle, principal, now);

    it("come back to their owner, whatever they hold, in every opening", async () => {
      const text = "\uFEFFa\u0000b \u{1f980} \n{}";
      await put(text, "one", { mimeType: "application/json" });
      const other = await opened().another();
      expect(await other.results.get("one", "ann", NOW)).toEqual({
        ...kept("one", text, { mimeType: "application/json" }),
        text,
      });
    });

    it("are nobody else's, and nobody's once they have expired", async () => {
      await put("secret", "one");
      expect(await get("one", "bob")).toBeUndefined();
      expect(await get("one", "ann", "2026-01-01T00:59:59.999Z")).toBeDefined();
      expect(await get("one", "ann", "2026-01-01T01:00:00.000Z")).toBeUndefined();
      expect(await get("two")).toBeUndefined();
    });

    it("of one principal stay under the limit: the oldest make room, others keep theirs", async () => {
      await put("x".repeat(10), "of bob", { principal: "bob" });
      for (const handle of ["a", "b", "c"]) await put("\u00e9".repeat(5), handle, {}, { maxBytes: 30 });
      expect(await get("a")).toBeDefined();
      await put("x", "d", {}, { maxBytes: 30 });
      expect(await Promise.all(["a", "b", "c", "d"].map(async (handle) => (await get(handle)) !== undefined))).toEqual([
        false,
        true,
        true,
        true,
      ]);
      expect(await get("of bob", "bob")).toBeDefined();
    });

    it("may be as large as the limit, and no larger; one that is refused removes nothing", async () => {
      await put("\u00e9".repeat(5), "whole", {}, { maxBytes: 10 });
      await expect(put("x".repeat(11), "more", {}, { maxBytes: 10 })).rejects.toMatchObject({ code: "TOO_LARGE" });
      expect(await get("whole")).toBeDefined();
      expect(await get("more")).toBeUndefined();
    });

    it("of 32 MiB are kept and read", async () => {
      const text = "0123456789abcde\n".repeat(2 * 1024 * 1024);
      await put(text, "large");
      expect((await get("large"))?.text === text).toBe(true);
    });

    it("are pruned when they have expired, and only then", async () => {
      for (let n = 0; n < 120; n++) void put("x", `old ${n}`);
      await put("x", "new", { expiresAt: "2026-01-01T02:00:00.000Z" });
      expect(await opened().store.results.prune("2026-01-01T01:00:00.000Z")).toBe(120);
      expect(await opened().store.results.prune("2026-01-01T01:00:00.000Z")).toBe(0);
      expect(await get("new")).toBeDefined();
    });
  });

  describe("lists of servers", () => {
    it("are kept for one digest at a time", async () => {
      const { lists } = opened().store;
      expect(await lists.get("files", "d1")).toBeUndefined();
      await lists.put("files", "d1", '{"tools":["one \u{1f980}"]}');
      await lists.put("other", "d1", "{}");
      expect(await (await opened().another()).lists.get("files", "d1")).toBe('{"tools":["one \u{1f980}"]}');
      await lists.put("files", "d2", "two");
      expect(await lists.get("files", "d1")).toBeUndefined();
      expect(await lists.get("files", "d2")).toBe("two");
      await lists.remove("files");
      expect(await lists.get("files", "d2")).toBeUndefined();
      expect(await lists.get("other", "d1")).toBe("{}");
    });
  });

  describe("signals of searches", () => {
    const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, "0")}:00.000Z`;

    it("are kept once per pair, with the newest time, newest first", async () => {
      const { signals } = opened().store;
      await signals.add([]);
      await signals.add([1, 2, 3].map((n) => ({ query: `q${n}`, tool: "t", at: at(n) })));
      await signals.add([
        { query: "q1", tool: "t", at: at(9) },
        { query: "q2", tool: "t", at: at(0) },
        { query: "q2", tool: "u", at: at(5) },
      ]);
      const other = await opened().another();
      expect((await other.signals.recent(3)).map(({ query, tool, at: time }) => [query, tool, time])).toEqual([
        ["q1", "t", at(9)],
        ["q2", "u", at(5)],
        ["q3", "t", at(3)],
      ]);
      await expect(signals.add([{ query: "a\0b", tool: "t", at: at(1) }])).rejects.toMatchObject({
        code: "INVALID_ARGUMENTS",
      });
    });

    it("are pruned from the oldest on", async () => {
      const { signals } = opened().store;
      await signals.add([1, 2, 3].map((n) => ({ query: `q${n}`, tool: "t", at: at(n) })));
      await signals.prune(2);
      expect((await signals.recent(10)).map(({ query }) => query)).toEqual(["q3", "q2"]);
    });
  });
}
