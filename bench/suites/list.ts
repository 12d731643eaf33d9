/** What ten thousand tools cost: the first page, one more tool, memory. */
import { cpSync } from "node:fs";
import path from "node:path";
import { openHttpClient, type Client } from "../lib/mcp-client.ts";
import { HAS_PROC, NO_PROC, rssBytes } from "../lib/proc.ts";
import { compare, inTurn, median, skip } from "../lib/rounds.ts";
import { startProduct, withFolder, withServers } from "../lib/servers.ts";
import { scaled, type Suite } from "../lib/suite.ts";
import { createTool, deleteTool } from "../lib/tools.ts";

const ROWS = {
  page: { what: "list: first page at 10,000 tools, to 1,000", unit: "ms", demand: { atMost: 1.5 } },
  create: { what: "list: one create at 10,000 tools, to 10", unit: "ms", demand: { atMost: 2 } },
  rss: { what: "list: RSS at 10,000 tools, to 0", unit: "MB", demand: { atMost: 1.5 } },
};

export const list: Suite = {
  summary: "first page, one create and memory at 10,000 tools",
  run: (effort) =>
    withFolder(async (folder) => {
      const stages = { none: 0, few: 10, some: scaled(1000, effort, 100), many: scaled(10_000, effort, 200) };
      const dataDir = (stage: keyof typeof stages) => path.join(folder, stage);
      effort.say(`making ${stages.many} tools`);
      await seed(stages, dataDir);

      const [lists, creates] = [scaled(50, effort, 5), scaled(20, effort, 3)];
      const open = (stage: keyof typeof stages) => () => startProduct("http", dataDir(stage), ALL_LISTED);
      const speeds = await withServers(
        { few: open("few"), some: open("some"), many: open("many") },
        async (servers) => {
          const clients = {
            few: await openHttpClient(servers.few.url, "legacy", 1),
            some: await openHttpClient(servers.some.url, "legacy", 1),
            many: await openHttpClient(servers.many.url, "legacy", 1),
          };
          return inTurn(effort.rounds, {
            pageAtMany: () => timeOf(lists, () => firstPage(clients.many)),
            pageAtSome: () => timeOf(lists, () => firstPage(clients.some)),
            createAtMany: () => timeOfCreate(creates, clients.many),
            createAtFew: () => timeOfCreate(creates, clients.few),
          });
        },
      );
      const rows = [
        compare(ROWS.page, speeds.pageAtMany, speeds.pageAtSome),
        compare(ROWS.create, speeds.createAtMany, speeds.createAtFew),
      ];
      if (!HAS_PROC) return [...rows, skip(ROWS.rss, NO_PROC)];
      const memory = (stage: keyof typeof stages) => () =>
        withServers({ server: open(stage) }, async ({ server }) => {
          const client = await openHttpClient(server.url, "legacy", 1);
          await firstPage(client);
          return rssBytes(server.pid) / 1e6;
        });
      const sizes = await inTurn(effort.rounds, { many: memory("many"), none: memory("none") });
      return [...rows, compare(ROWS.rss, sizes.many, sizes.none)];
    }),
};

/** So many would be found by search otherwise. */
const ALL_LISTED = ["--exposure", "direct"];
const firstPage = (client: Client) => client.request("tools/list");

/** One growing store, copied at each stage. */
async function seed<S extends string>(stages: Record<S, number>, dataDir: (stage: S) => string): Promise<void> {
  await withFolder(async (growing) => {
    let made = 0;
    for (const stage in stages) {
      await withServers({ server: () => startProduct("http", growing) }, async ({ server }) => {
        const client = await openHttpClient(server.url, "legacy", 16);
        await Promise.all(
          Array.from({ length: 16 }, async () => {
            while (made < stages[stage]) await createTool(client, `bench.tool.n${made++}`, "return args.text;");
          }),
        );
      });
      cpSync(growing, dataDir(stage), { recursive: true });
    }
  });
}

/** @returns p50 in ms */
async function timeOf(times: number, work: (turn: number) => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    const startedAt = performance.now();
    await work(turn);
    took.push(performance.now() - startedAt);
  }
  return median(took);
}

async function timeOfCreate(times: number, client: Client): Promise<number> {
  const p50 = await timeOf(times, (turn) => createTool(client, `bench.one.more.n${turn}`, "return args.text;"));
  for (let turn = 0; turn < times; turn++) await deleteTool(client, `bench.one.more.n${turn}`);
  return p50;
}
