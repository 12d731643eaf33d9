/** Calls through the gateway, in each combination of transports: how many, what they cost, how long one takes. */
import {
  findEcho,
  openClient,
  startGateway,
  startUpstream,
  stdioEntry,
  upstreamsOf,
  type Kind,
} from "../../lib/gateways.ts";
import { loadWith, type Load } from "../../lib/load.ts";
import type { Client, Era } from "../../lib/mcp-client.ts";
import { HAS_PROC, NO_PROC, peakRssBytes } from "../../lib/proc.ts";
import { compare, inTurn, skip, type Demand, type Row, type RowPlan } from "../../lib/rounds.ts";
import { withFolder, withServers, type Server, type Transport } from "../../lib/servers.ts";
import { scaled, type Effort } from "../../lib/suite.ts";

const KINDS: readonly Kind[] = ["product", "sdk", "raw"];
const CALLERS = 32;

interface Route {
  from: Transport;
  to: Transport;
  era: Era;
  /** To the gateway on the SDK, and what we want to reach to the pass-through. */
  bounds: Partial<Record<Figure, { demand: Demand; goal: Demand }>>;
}

type Figure = "perSecond" | "cpu" | "alone" | "p99";

const atLeast = (least: number): Demand => ({ atLeast: least });
const atMost = (most: number): Demand => ({ atMost: most });
const HTTP_TO_STDIO = {
  perSecond: { demand: atLeast(1.7), goal: atLeast(0.65) },
  cpu: { demand: atMost(0.6), goal: atMost(1.6) },
};

const ROUTES: readonly Route[] = [
  {
    ...{ from: "http", to: "stdio", era: "legacy" },
    bounds: {
      ...HTTP_TO_STDIO,
      alone: { demand: atMost(0.8), goal: atMost(1.5) },
      p99: { demand: atMost(0.7), goal: atMost(2) },
    },
  },
  { from: "http", to: "stdio", era: "modern", bounds: HTTP_TO_STDIO },
  {
    ...{ from: "http", to: "http", era: "legacy" },
    bounds: {
      perSecond: { demand: atLeast(3), goal: atLeast(0.65) },
      alone: { demand: atMost(0.6), goal: atMost(1.4) },
    },
  },
  {
    ...{ from: "stdio", to: "stdio", era: "legacy" },
    bounds: { perSecond: { demand: atLeast(0.8), goal: atLeast(0.4) } },
  },
  {
    ...{ from: "stdio", to: "http", era: "legacy" },
    bounds: { perSecond: { demand: atLeast(2), goal: atLeast(0.5) } },
  },
];

const FIGURES: Record<Figure, { words: string; unit: string; of: (run: Run) => number }> = {
  perSecond: { words: "calls/s at 32", unit: "/s", of: ({ many }) => many.callsPerSecond },
  cpu: { words: "CPU per call at 32", unit: "µs", of: ({ many }) => many.cpuUsPerCall },
  alone: { words: "p50 alone", unit: "ms", of: ({ one }) => one.p50Ms },
  p99: { words: "p99 at 32", unit: "ms", of: ({ many }) => many.p99Ms },
};

interface Run {
  many: Load;
  one: Load;
}

export async function routes(effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const route of ROUTES) {
    effort.say(`gateway: ${route.from} to ${route.to}, ${route.era}`);
    rows.push(
      ...(await withServers({ upstream: () => startUpstream() }, ({ upstream }) => measure(route, upstream, effort))),
    );
  }
  return rows;
}

const measure = ({ from, to, era, bounds }: Route, upstream: Server, effort: Effort): Promise<Row[]> =>
  withFolder((folder) => {
    const entry = to === "http" ? { url: upstream.url } : stdioEntry();
    const open = (kind: Kind) => () => startGateway(kind, from, folder, entry);
    return withServers({ product: open("product"), sdk: open("sdk"), raw: open("raw") }, async (servers) => {
      const candidates = {} as Record<Kind | "direct", () => Promise<Run>>;
      for (const kind of KINDS) candidates[kind] = await loadsOf(servers[kind], from, era, effort);
      // What a call takes without any gateway, for a client of the same transport; the server speaks one era only.
      candidates.direct = await loadsOf(upstream, "http", "legacy", effort);
      await inTurn(1, candidates); // warm
      const runs = await inTurn(effort.rounds, candidates);
      const name = `gateway: ${from} to ${to}${era === "modern" ? ", 2026-07-28" : ""}`;
      const rows = Object.entries(bounds).flatMap(([figure, { demand, goal }]) => {
        const { words, unit, of } = FIGURES[figure as Figure];
        const against = (floor: "sdk" | "raw", plan: RowPlan) =>
          figure === "cpu" && !HAS_PROC
            ? skip(plan, NO_PROC)
            : compare(plan, runs.product.map(of), runs[floor].map(of));
        return [
          against("sdk", { what: `${name}, ${words}, to one on the SDK`, unit, demand }),
          against("raw", { what: `${name}, ${words}, to a pass-through`, unit, goal }),
        ];
      });
      if (from === "http" && bounds.alone) rows.push(compare({ what: `${name}, p50 alone, to no gateway`, unit: "ms" }, runs.product.map(FIGURES.alone.of), runs.direct.map(FIGURES.alone.of))); // prettier-ignore
      if (HAS_PROC && from === "http" && era === "legacy") rows.push(peak(name, servers));
      return rows;
    });
  });

async function loadsOf(server: Server, transport: Transport, era: Era, effort: Effort): Promise<() => Promise<Run>> {
  const client: Client = await openClient(server, transport, era, CALLERS);
  const echo = await findEcho(client);
  const others = HAS_PROC ? upstreamsOf(server) : undefined;
  return async () => ({
    one: await loadWith(client, echo, 1, scaled(1_000, effort, 20), server.pid, others),
    many: await loadWith(client, echo, CALLERS, scaled(6_000, effort, 100), server.pid, others),
  });
}

function peak(name: string, servers: Record<Kind, Server>): Row {
  const most = (kind: Kind) => peakRssBytes(servers[kind].pid, upstreamsOf(servers[kind])) / 1e6;
  const plan = {
    what: `${name}, peak RSS under load, to one on the SDK`,
    unit: "MB",
    demand: atMost(1),
    goal: atMost(0.6),
  };
  return compare(plan, [most("product")], [most("sdk")]);
}
