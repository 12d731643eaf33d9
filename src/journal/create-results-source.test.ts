import { expect, it } from "vitest";
import type { Caller } from "../core/caller.ts";
import { SILENT, type RunContext } from "../core/source.ts";
import { createResultsSource } from "./create-results-source.ts";
import { createResults } from "./create-results.ts";
import { createMemoryResults } from "./fixtures/memory-results.ts";

it("gives a kept result as a resource to its owner alone, and lists none", async () => {
  const results = createResults({ store: createMemoryResults(), log: SILENT });
  const source = createResultsSource(results);
  const caller = (id: string): Caller => ({ principal: { id, kind: "user", isAdmin: false } });
  const large = "x".repeat(60_000);
  const about = { caller: caller("ann"), tool: "t", hasOutputSchema: false };
  const { _meta = {} } = await results.shorten({ content: [{ type: "text", text: large }] }, about);
  const { handle } = _meta["dynamic-mcp/result"] as { handle: string };
  const uri = `dynamic-mcp://results/${handle}`;
  const run = (who: string) =>
    source.run({ kind: "resource", id: handle, uri }, { caller: caller(who) } as unknown as RunContext);

  expect(source.items("resource", caller("ann"))).toEqual([]);
  expect(source.claims?.(uri, caller("ann"))).toBe(handle);
  expect(source.claims?.(`${uri}x`, caller("ann"))).toBeUndefined();
  expect(source.claims?.("file:///x", caller("ann"))).toBeUndefined();
  expect(await run("ann")).toEqual({ contents: [{ uri, text: large, mimeType: "text/plain" }] });
  await expect(run("bob")).rejects.toMatchObject({ code: "RESOURCE_NOT_FOUND" });
});
