/** What a call costs: of an authored tool beside the bare engine, and of a built-in one under load. */
import { loadWith, type Echo, type Load } from "../lib/load.ts";
import { openHttpClient, openStdioClient, type Client, type Era } from "../lib/mcp-client.ts";
import { HAS_PROC, NO_PROC } from "../lib/proc.ts";
import { compare, inTurn, skip, type Row } from "../lib/rounds.ts";
import { startFloor, startProduct, withFolder, withServers, type Server, type Transport } from "../lib/servers.ts";
import { scaled, type Effort, type Suite } from "../lib/suite.ts";
import { createTool } from "../lib/tools.ts";
import { withBareEngine } from "../lib/bare-engine.ts";

const CODE = "return { text: args.text };";
const AUTHORED: Echo = { tool: "bench_echo", args: (text) => ({ text }) };
const BUILT_IN: Echo = { tool: "dev_echo", args: (message) => ({ message }) };
const FLOOR: Echo = { tool: "echo", args: (text) => ({ text }) };

export const call: Suite = {
  summary: "an authored tool beside the bare engine; a built-in one with 32 callers, both eras",
  async run(effort) {
    const rows = [await authored("http", effort), await authored("stdio", effort)];
    for (const era of ["legacy", "modern"] as const) rows.push(...(await underLoad(era, effort)));
    return rows;
  },
};

const open = (server: Server, transport: Transport, era: Era, callers: number): Promise<Client> =>
  transport === "http" ? openHttpClient(server.url, era, callers) : openStdioClient(server.child, era);

/** One caller. What the engine itself takes is measured in the same round and taken off before the ratio is made. */
const authored = (transport: Transport, effort: Effort): Promise<Row> =>
  withFolder((dataDir) =>
    withServers(
      { product: () => startProduct(transport, dataDir), floor: () => startFloor(transport) },
      async ({ product, floor }) => {
        const [ours, theirs] = [await open(product, transport, "legacy", 1), await open(floor, transport, "legacy", 1)];
        await createTool(ours, "bench.echo", CODE);
        const calls = scaled(500, effort, 10);
        return withBareEngine(CODE, async (timeRun) => {
          const p50 = async (client: Client, echo: Echo, { pid }: Server) =>
            (await loadWith(client, echo, 1, calls, pid)).p50Ms;
          const candidates = {
            product: () => p50(ours, AUTHORED, product),
            // At the pace at which a server asks it: a call of the floor comes before each run.
            engine: () => timeRun(calls, () => loadWith(theirs, FLOOR, 1, 1, floor.pid)),
            floor: () => p50(theirs, FLOOR, floor),
          };
          await inTurn(1, candidates); // warm
          const runs = await inTurn(effort.rounds, candidates);
          const row = { what: `call: authored tool p50, ${transport}`, unit: "ms", demand: { atMost: 1.0 } };
          // (value - engine) / floor, because the demand is: no more than the engine plus one floor.
          const rest = runs.product.map((value, round) => value - (runs.engine[round] ?? NaN));
          return { ...compare({ ...row, what: `${row.what}, less the engine's` }, rest, runs.floor) };
        });
      },
    ),
  );

/** 32 callers of a tool that only answers; journal and guard stay on. */
const underLoad = (era: Era, effort: Effort): Promise<Row[]> =>
  withFolder((dataDir) =>
    withServers(
      { product: () => startProduct("http", dataDir, ["--profile", "full"]), floor: () => startFloor("http") },
      async ({ product, floor }) => {
        const callers = 32;
        const [ours, theirs] = [await open(product, "http", era, callers), await open(floor, "http", era, callers)];
        const calls = scaled(10_000, effort, 100);
        const candidates = {
          product: () => loadWith(ours, BUILT_IN, callers, calls, product.pid),
          floor: () => loadWith(theirs, FLOOR, callers, calls, floor.pid),
        };
        await inTurn(1, candidates); // warm
        const runs = await inTurn(effort.rounds, candidates);
        const of = (pick: (load: Load) => number) => [runs.product.map(pick), runs.floor.map(pick)] as const;
        const speed = { what: `call: built-in, 32 callers, ${era}`, unit: "/s", demand: { atLeast: 2 } };
        const cpu = { what: `call: built-in, CPU per call, ${era}`, unit: "µs", demand: { atMost: 0.5 } };
        return [
          compare(speed, ...of(({ callsPerSecond }) => callsPerSecond)),
          HAS_PROC ? compare(cpu, ...of(({ cpuUsPerCall }) => cpuUsPerCall)) : skip(cpu, NO_PROC),
        ];
      },
    ),
  );
