/** A start answers at once, however many servers there are and whatever state they are in. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { openClient, startUpstream, startWith, stdioEntry, untilListed, type ServerEntry } from "../../lib/gateways.ts";
import { compare, inTurn, type Row } from "../../lib/rounds.ts";
import { withFolder, withServers, type Server } from "../../lib/servers.ts";
import { scaled, type Effort } from "../../lib/suite.ts";

const ROWS = {
  start: {
    what: "gateway: start to first tools/list, 20 servers, 5 hanging, to none + 50 ms",
    unit: "ms",
    demand: { atMost: 1 },
  },
  list: { what: "gateway: tools/list after initialize, 70 servers, to 20 ms", unit: "ms", demand: { atMost: 1 } },
};
const MORE_MS = 50;
const LIST_MS = 20;
/** Of each server: two that work and some that are only listed. */
const TOOLS = 10;
const FURTHER = ["--tools", String(TOOLS - 2)];

export async function starts(effort: Effort): Promise<Row[]> {
  return [await hanging(effort), await many(effort)];
}

/** All are known from an earlier start; then five of them stop answering. */
const hanging = (effort: Effort): Promise<Row> =>
  withFolder(async (folder) => {
    const [count, hung] = [scaled(20, effort, 4), scaled(5, effort, 1)];
    effort.say(`gateway: start with ${count} servers, ${hung} of them hanging`);
    const hangs = path.join(folder, "hangs");
    const servers: Record<string, ServerEntry> = {};
    for (let n = 0; n < count; n++)
      servers[`s${n}`] = stdioEntry(...FURTHER, ...(n < hung ? ["--hang-while", hangs] : []));
    await learn(folder, servers, count * TOOLS);
    writeFileSync(hangs, "");
    const withThem = () => started(() => startWith("stdio", folder, servers), count * TOOLS);
    const without = () => withFolder((empty) => started(() => startWith("stdio", empty, {}), 0));
    await inTurn(1, { withThem, without });
    const runs = await inTurn(effort.rounds * 2, { withThem, without });
    const total = (run: Started) => run.totalMs;
    return compare(ROWS.start, runs.withThem.map(total), runs.without.map((run) => total(run) + MORE_MS)); // prettier-ignore
  });

const many = (effort: Effort): Promise<Row> =>
  withServers({ upstream: () => startUpstream(...FURTHER) }, ({ upstream }) =>
    withFolder(async (folder) => {
      const count = scaled(70, effort, 5);
      effort.say(`gateway: a list with ${count} servers`);
      const servers = entriesOn(upstream, count);
      await learn(folder, servers, count * TOOLS);
      const one = () => started(() => startWith("stdio", folder, servers), count * TOOLS);
      await one();
      const { runs } = await inTurn(effort.rounds * 2, { runs: one });
      return compare(ROWS.list, runs.map((run) => run.listMs), runs.map(() => LIST_MS)); // prettier-ignore
    }),
  );

/** As many servers as one process can stand for. */
export function entriesOn(upstream: Server, count: number): Record<string, ServerEntry> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`s${n}`, { url: `${upstream.url}?server=${n}` }]));
}

/** A first start, which asks all servers and remembers what they list. */
export async function learn(folder: string, servers: Record<string, ServerEntry>, tools: number): Promise<void> {
  await withServers({ server: () => startWith("http", folder, servers) }, async ({ server }) => {
    await untilListed(await openClient(server, "http", "legacy", 1), tools);
  });
}

interface Started {
  totalMs: number;
  /** Of the list alone, once initialize is answered. */
  listMs: number;
}

/** @throws Error when the first list lacks tools of servers: then it was fast for a wrong reason */
function started(spawn: () => Promise<Server>, tools: number): Promise<Started> {
  const spawnedAt = performance.now();
  return withServers({ server: spawn }, async ({ server }) => {
    const client = await openClient(server, "stdio", "legacy", 1);
    const initializedAt = performance.now();
    const first = await client.request("tools/list");
    const endedAt = performance.now();
    const { length } = (first["tools"] as { name: string }[]).filter(({ name }) => name.includes("__"));
    if (length < tools && first["nextCursor"] === undefined)
      throw new Error(`the first list had ${length} of ${tools} tools`);
    return { totalMs: endedAt - spawnedAt, listMs: endedAt - initializedAt };
  });
}
