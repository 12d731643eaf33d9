/** A server that is killed in the middle of a call; many slow calls at once. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  findEcho,
  findTool,
  openClient,
  startGateway,
  startUpstreamOverStdio,
  stdioEntry,
  upstreamsOf,
} from "../../lib/gateways.ts";
import type { Client } from "../../lib/mcp-client.ts";
import { openStdioClient } from "../../lib/mcp-client.ts";
import { HAS_PROC, NO_PROC } from "../../lib/proc.ts";
import { compare, inTurn, skip, type Row } from "../../lib/rounds.ts";
import { withFolder, withServers, type Server } from "../../lib/servers.ts";
import { scaled, type Effort } from "../../lib/suite.ts";

const KILLED = "gateway: server killed over stdio";
const ROWS = {
  error: { what: `${KILLED}, error to the call in flight, to 50 ms`, unit: "ms", demand: { atMost: 1 } },
  again: { what: `${KILLED}, works again on the same session, to 1 s`, unit: "ms", demand: { atMost: 1 } },
  start: { what: `${KILLED}, works again, to the server's own start`, unit: "ms", goal: { atMost: 1.3 } },
  parallel: {
    what: "gateway: 100 calls that sleep 500 ms, to 500 ms",
    unit: "ms",
    demand: { atMost: 1.15 },
    goal: { atMost: 1.08 },
  },
};
const [ERROR_MS, AGAIN_MS, SLEEP_MS] = [50, 1_000, 500];
const BETWEEN_TRIES_MS = 5;
const GIVEN_UP_MS = 10_000;

export async function faults(effort: Effort): Promise<Row[]> {
  effort.say("gateway: a killed server, slow calls");
  return withFolder((folder) =>
    withServers({ server: () => startGateway("product", "http", folder, stdioEntry()) }, async ({ server }) => {
      const parallel = await slowCalls(server, effort);
      return HAS_PROC ? [...(await kills(server, effort)), parallel] : [...killRows(NO_PROC), parallel];
    }),
  );
}

const killRows = (why: string) => [ROWS.error, ROWS.again, ROWS.start].map((row) => skip(row, why));

async function kills(server: Server, effort: Effort): Promise<Row[]> {
  const client = await openClient(server, "http", "legacy", 4);
  const runs = await inTurn(effort.rounds, {
    product: () => kill(server, client),
    own: async () => ({ errorMs: NaN, againMs: await ownStart() }),
  });
  const [errors, again] = [runs.product.map(({ errorMs }) => errorMs), runs.product.map(({ againMs }) => againMs)];
  return [
    compare(ROWS.error, errors, errors.map(() => ERROR_MS)), // prettier-ignore
    compare(ROWS.again, again, again.map(() => AGAIN_MS)), // prettier-ignore
    compare(
      ROWS.start,
      again,
      runs.own.map(({ againMs }) => againMs),
    ),
  ];
}

async function kill(server: Server, client: Client): Promise<{ errorMs: number; againMs: number }> {
  const [echo, sleeper] = [await findEcho(client), await findTool(client, "sleep")];
  const works = () => client.request("tools/call", { name: echo.tool, arguments: echo.args("again") });
  await works();
  const inFlight = isRefused(client.request("tools/call", { name: sleeper, arguments: { ms: GIVEN_UP_MS } }));
  await sleep(100);
  const killedAt = performance.now();
  for (const pid of upstreamsOf(server)) process.kill(pid, "SIGKILL");
  const errorMs = inFlight.then((isError) => (isError ? performance.now() - killedAt : NaN));
  while (await isRefused(works())) {
    if (performance.now() - killedAt > GIVEN_UP_MS) throw new Error("the killed server never came back");
    await sleep(BETWEEN_TRIES_MS);
  }
  const againMs = performance.now() - killedAt;
  return { errorMs: await errorMs, againMs };
}

async function isRefused(call: Promise<Record<string, unknown>>): Promise<boolean> {
  try {
    return (await call)["isError"] === true;
  } catch {
    return true;
  }
}

/** From spawn to a first answer: what nobody who starts it again can be faster than. */
function ownStart(): Promise<number> {
  const spawnedAt = performance.now();
  return withServers({ server: () => startUpstreamOverStdio() }, async ({ server }) => {
    const client = await openStdioClient(server.child);
    await client.request("tools/call", { name: "echo", arguments: { text: "up" } });
    return performance.now() - spawnedAt;
  });
}

async function slowCalls(server: Server, effort: Effort): Promise<Row> {
  const calls = scaled(100, effort, 10);
  const client = await openClient(server, "http", "legacy", calls);
  const name = await findTool(client, "sleep");
  const all = async (ms: number) => {
    const startedAt = performance.now();
    const ends = Array.from({ length: calls }, () => client.request("tools/call", { name, arguments: { ms } }));
    if ((await Promise.all(ends)).some((end) => end["isError"] === true)) throw new Error("a slow call was refused");
    return performance.now() - startedAt;
  };
  await all(1); // warm
  const { runs } = await inTurn(effort.rounds, { runs: () => all(SLEEP_MS) });
  client.close();
  return compare(ROWS.parallel, runs, runs.map(() => SLEEP_MS)); // prettier-ignore
}
