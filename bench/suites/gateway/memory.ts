/** What a gateway holds while nobody asks it for anything. */
import { openChannels, settledRss } from "../../lib/channels.ts";
import {
  openClient,
  startGateway,
  startUpstream,
  startWith,
  stdioEntry,
  toolNames,
  upstreamsOf,
  type Kind,
} from "../../lib/gateways.ts";
import { HAS_PROC, NO_PROC } from "../../lib/proc.ts";
import { compare, inTurn, skip, type Row } from "../../lib/rounds.ts";
import { startFloor, withFolder, withServers, type Server } from "../../lib/servers.ts";
import { scaled, type Effort } from "../../lib/suite.ts";
import { entriesOn, learn } from "./starts.ts";

const ROWS = {
  idle: {
    what: "gateway: idle RSS, one server over stdio, to the SDK's bare server",
    unit: "MB",
    demand: { atMost: 1.4 },
    goal: { atMost: 1.2 },
  },
  channel: { what: "gateway: RSS per idle channel, to one on the SDK", unit: "kB", demand: { atMost: 1 } },
  channelKb: { what: "gateway: RSS per idle channel, to 60 kB", unit: "kB", goal: { atMost: 1 } },
  server: { what: "gateway: RSS per idle remembered server, to 100 kB", unit: "kB", demand: { atMost: 1 } },
};
const [CHANNEL_KB, SERVER_KB] = [60, 100];

export async function memory(effort: Effort): Promise<Row[]> {
  if (!HAS_PROC) return Object.values(ROWS).map((row) => skip(row, NO_PROC));
  effort.say("gateway: memory");
  return [await idle(effort), ...(await channels(effort)), await remembered(effort)];
}

async function idle(effort: Effort): Promise<Row> {
  const mb = (start: () => Promise<Server>) =>
    withServers({ server: start }, async ({ server }) => {
      await toolNames(await openClient(server, "http", "legacy", 1));
      return (await settledRss(server.pid, upstreamsOf(server))) / 1e6;
    });
  const runs = await inTurn(effort.rounds, {
    product: () => withFolder((folder) => mb(() => startGateway("product", "http", folder, stdioEntry()))),
    bare: () => mb(() => startFloor("http")),
  });
  return compare(ROWS.idle, runs.product, runs.bare);
}

async function channels(effort: Effort): Promise<Row[]> {
  const count = scaled(1_000, effort, 20);
  const kb = (kind: Kind) => () =>
    withFolder((folder) =>
      withServers({ server: () => startGateway(kind, "http", folder, stdioEntry()) }, async ({ server }) => {
        const others = upstreamsOf(server);
        await openChannels(server.url, Math.ceil(count / 5)); // the heap's first growth is not theirs
        const before = await settledRss(server.pid, others);
        await openChannels(server.url, count);
        return ((await settledRss(server.pid, others)) - before) / count / 1e3;
      }),
    );
  const runs = await inTurn(effort.rounds, { product: kb("product"), sdk: kb("sdk") });
  return [
    compare(ROWS.channel, runs.product, runs.sdk),
    compare(ROWS.channelKb, runs.product, runs.product.map(() => CHANNEL_KB)), // prettier-ignore
  ];
}

/** Known from an earlier start, listed once, never called. */
const remembered = (effort: Effort): Promise<Row> =>
  withServers({ upstream: () => startUpstream("--tools", "8") }, ({ upstream }) =>
    withFolder(async (folder) => {
      const count = scaled(1_000, effort, 10);
      const servers = entriesOn(upstream, count);
      await learn(folder, servers, count * 10);
      const bytes = (start: () => Promise<Server>) =>
        withServers({ server: start }, async ({ server }) => {
          await toolNames(await openClient(server, "http", "legacy", 1));
          return settledRss(server.pid);
        });
      // The heap's first growth is not theirs.
      const few = Math.ceil(count / 5);
      const runs = await inTurn(effort.rounds, {
        all: () => bytes(() => startWith("http", folder, servers)),
        few: () => bytes(() => startWith("http", folder, entriesOn(upstream, few))),
      });
      const kb = runs.all.map((all, round) => (all - (runs.few[round] ?? NaN)) / (count - few) / 1e3);
      return compare(ROWS.server, kb, kb.map(() => SERVER_KB)); // prettier-ignore
    }),
  );
