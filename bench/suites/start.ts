/** From spawn to the first answered tools/list over stdio, and the memory of the whole process tree. */
import { openStdioClient } from "../lib/mcp-client.ts";
import { HAS_PROC, NO_PROC, rssBytes } from "../lib/proc.ts";
import { compare, inTurn, skip } from "../lib/rounds.ts";
import { startFloor, startProduct, withFolder, withServers, type Server } from "../lib/servers.ts";
import type { Suite } from "../lib/suite.ts";
import { createTool, deleteTool } from "../lib/tools.ts";

interface Started {
  ms: number;
  rss: number;
  /** After the first write; of the floor, which writes nothing, the same as before. */
  rssAfterWrite: number;
}

export const start: Suite = {
  summary: "spawn to first tools/list over stdio; memory before and after the first write",
  run: (effort) =>
    withFolder(async (dataDir) => {
      const product = () => started(() => startProduct("stdio", dataDir), true);
      const floor = () => started(() => startFloor("stdio"), false);
      // Not the very first start on a machine: code caches are filled, as for the floor.
      await product();
      await floor();
      const runs = await inTurn(effort.rounds * 3, { product, floor });
      const of = (pick: (run: Started) => number) => [runs.product.map(pick), runs.floor.map(pick)] as const;
      const rows = {
        start: { what: "start: spawn to first tools/list, stdio", unit: "ms", demand: { atMost: 1.0 } },
        rss: { what: "start: RSS of the tree before the first write", unit: "MB", demand: { atMost: 1.1 } },
        rssAfter: { what: "start: RSS of the tree after the first write", unit: "MB", demand: { atMost: 1.25 } },
      };
      if (!HAS_PROC)
        return [compare(rows.start, ...of(({ ms }) => ms)), skip(rows.rss, NO_PROC), skip(rows.rssAfter, NO_PROC)];
      return [
        compare(rows.start, ...of(({ ms }) => ms)),
        compare(rows.rss, ...of(({ rss }) => rss / 1e6)),
        compare(rows.rssAfter, ...of(({ rssAfterWrite }) => rssAfterWrite / 1e6)),
      ];
    }),
};

function started(spawn: () => Promise<Server>, writes: boolean): Promise<Started> {
  const spawnedAt = performance.now();
  return withServers({ server: spawn }, async ({ server }) => {
    const client = await openStdioClient(server.child);
    await client.request("tools/list");
    const ms = performance.now() - spawnedAt;
    const rss = rssBytes(server.pid);
    if (!writes) return { ms, rss, rssAfterWrite: rss };
    await createTool(client, "bench.first", "return { text: args.text };");
    const rssAfterWrite = rssBytes(server.pid);
    await deleteTool(client, "bench.first");
    return { ms, rss, rssAfterWrite };
  });
}
