/** What a list of ten thousand tools of another server costs. */
import {
  openClient,
  startGateway,
  startUpstream,
  toolNames,
  untilListed,
  upstreamsOf,
  type Kind,
} from "../../lib/gateways.ts";
import type { Client } from "../../lib/mcp-client.ts";
import { cpuUs, HAS_PROC, NO_PROC } from "../../lib/proc.ts";
import { compare, inTurn, skip, type Row } from "../../lib/rounds.ts";
import { withFolder, withServers, type Server } from "../../lib/servers.ts";
import { scaled, type Effort } from "../../lib/suite.ts";
import { p50 } from "../../lib/timing.ts";

const WHAT = "gateway: tools/list of 10,000 tools";
const ROWS = {
  sdk: { what: `${WHAT}, CPU of all pages, to one on the SDK`, unit: "ms", demand: { atMost: 0.7 } },
  raw: { what: `${WHAT}, CPU of all pages, to a pass-through`, unit: "ms", goal: { atMost: 1.3 } },
  page: { what: `${WHAT}, first page, to 5 ms`, unit: "ms", goal: { atMost: 1 } },
};
const PAGE_MS = 5;

export async function lists(effort: Effort): Promise<Row[]> {
  const tools = scaled(10_000, effort, 100);
  const times = scaled(10, effort, 2);
  effort.say(`gateway: lists of ${tools} tools`);
  return withServers({ upstream: () => startUpstream("--tools", String(tools)) }, ({ upstream }) =>
    withFolder((folder) => {
      const open = (kind: Kind) => () => startGateway(kind, "http", folder, { url: upstream.url });
      return withServers({ product: open("product"), sdk: open("sdk"), raw: open("raw") }, async (servers) => {
        const clients = {
          product: await openClient(servers.product, "http", "legacy", 1),
          sdk: await openClient(servers.sdk, "http", "legacy", 1),
          raw: await openClient(servers.raw, "http", "legacy", 1),
        };
        await untilListed(clients.product, tools);
        const candidates = {
          product: () => cpuMs(servers.product, clients.product, times),
          sdk: () => cpuMs(servers.sdk, clients.sdk, times),
          raw: () => cpuMs(servers.raw, clients.raw, times),
          page: () => p50(times * 2, () => clients.product.request("tools/list")),
        };
        await inTurn(1, candidates); // warm
        const runs = await inTurn(effort.rounds, candidates);
        const page = compare(ROWS.page, runs.page, runs.page.map(() => PAGE_MS)); // prettier-ignore
        if (!HAS_PROC) return [skip(ROWS.sdk, NO_PROC), skip(ROWS.raw, NO_PROC), page];
        return [compare(ROWS.sdk, runs.product, runs.sdk), compare(ROWS.raw, runs.product, runs.raw), page];
      });
    }),
  );
}

/** CPU time of the gateway for one whole list, every page of it. */
async function cpuMs(server: Server, client: Client, times: number): Promise<number> {
  if (!HAS_PROC) return NaN;
  const others = upstreamsOf(server);
  const before = cpuUs(server.pid, others);
  for (let turn = 0; turn < times; turn++) await toolNames(client);
  return (cpuUs(server.pid, others) - before) / times / 1e3;
}
