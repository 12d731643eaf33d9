import { afterEach, describe, expect, it } from "vitest";
import { SILENT } from "../core/source.ts";
import type { Change } from "../store/store.ts";
import { followChanges } from "./follow-changes.ts";

const closers: { close(): void }[] = [];
afterEach(() => {
  for (const each of closers.splice(0)) each.close();
});

function follow(readOne: (id: string) => Promise<void>) {
  let tell: (changes: readonly Change[]) => void = () => {};
  let wholes = 0;
  const changes = {
    subscribe(listener: typeof tell) {
      tell = listener;
      return () => (tell = () => {});
    },
  };
  const feed = followChanges({ changes }, SILENT, {
    isMany: (count) => count > 100,
    readAll: async () => void wholes++,
    readOne,
  });
  closers.push(feed);
  const change = (item: string, kind: Change["kind"] = "tool"): Change => ({ seq: 1, topic: "items", kind, item, action: "put" }); // prettier-ignore
  return { tell: (...items: string[]) => tell(items.map((item) => change(item))), tellOf: (kind: Change["kind"]) => tell([change("x", kind)]), wholes: () => wholes, close: feed.close }; // prettier-ignore
}

describe("following changes", () => {
  it("reads each changed tool once, and nothing of other kinds", async () => {
    const read: string[] = [];
    const { tell, tellOf } = follow(async (id) => void read.push(id));
    tellOf("server");
    tell("a", "b", "a");
    await expect.poll(() => read).toEqual(["a", "b"]);
  });

  it("reads everything once instead of very many one by one", async () => {
    const read: string[] = [];
    const { tell, wholes } = follow(async (id) => void read.push(id));
    tell(...Array.from({ length: 500 }, (_, n) => `t${n}`));
    await expect.poll(wholes).toBe(1);
    expect(read.length).toBeLessThanOrEqual(1);
  });

  it("tries again what could not be read", async () => {
    const read: string[] = [];
    let failures = 1;
    const { tell } = follow(async (id) => {
      if (failures-- > 0) throw new Error("the disk is busy");
      read.push(id);
    });
    tell("a");
    await expect.poll(() => read, { timeout: 5_000 }).toEqual(["a"]);
  });

  it("reads nothing after it was closed", async () => {
    const read: string[] = [];
    const { tell, close } = follow(async (id) => void read.push(id));
    close();
    tell("a");
    await Promise.resolve();
    expect(read).toEqual([]);
  });
});
