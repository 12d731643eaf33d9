/** Node in a jail, one process for each job, beside a bare `node -e 0`. */
import { createNodeEngine } from "../../../src/engines/node/node-engine.ts";
import { countChildren } from "../../lib/children.ts";
import { hostCallMs, runBody } from "../../lib/jobs.ts";
import { NO_SMAPS, privateBytes } from "../../lib/proc.ts";
import { compare, inTurn, median, type Row, skip, skipAll } from "../../lib/rounds.ts";
import { type Effort, scaled } from "../../lib/suite.ts";
import { bareNode, p50, pace, until } from "../../lib/timing.ts";

/** Long enough to have a member ready again; the next call begins only then. */
const PACE_MS = 200;
/** Nothing is started ahead here; the one before only has to be gone. */
const COLD_PACE_MS = 50;
const READY = 2;
/** To come to rest after its start. */
const REST_MS = 500;
const MAX_PROCESSES = 16;
const IDLE_MB = 10;

const ROWS = {
  pool: { what: `engines: node, pool p50, a call every ${PACE_MS} ms, to bare node`, unit: "ms", demand: { atMost: 0.1 } }, // prettier-ignore
  cold: { what: "engines: node, cold (none started ahead), to bare node", unit: "ms", demand: { atMost: 2 } },
  host: { what: "engines: node, one host call, to bare node", unit: "ms" },
  memory: { what: `engines: node, private memory of an idle member, to ${IDLE_MB} MB`, unit: "MB", demand: { atMost: 1 } }, // prettier-ignore
  most: { what: "engines: node, most processes at 100 parallel calls, to their limit", unit: "processes", demand: { atMost: 1 } }, // prettier-ignore
};

export async function node(effort: Effort): Promise<Row[]> {
  const pool = createNodeEngine({ idlePerKey: READY });
  const cold = createNodeEngine({ idlePerKey: 0 });
  try {
    const { isAvailable, problem = "no reason given" } = await pool.probe();
    if (!isAvailable) return skipAll(ROWS, `the node engine is not available: ${problem}`);
    await runBody(pool);
    await runBody(cold);
    const [few, many] = [scaled(10, effort, 2), scaled(30, effort, 3)];
    const figures = await inTurn(effort.rounds, {
      bare: () => p50(many, bareNode, pace(COLD_PACE_MS)),
      pool: () => p50(many, () => runBody(pool), pace(PACE_MS)),
      cold: () => p50(many, () => runBody(cold), pace(COLD_PACE_MS)),
      host: () => hostCallMs(pool, few, pace(PACE_MS)),
    });
    return [
      compare(ROWS.pool, figures.pool, figures.bare),
      compare(ROWS.cold, figures.cold, figures.bare),
      compare(ROWS.host, figures.host, figures.bare),
      await memory(effort.rounds),
      await most(scaled(100, effort, 2 * MAX_PROCESSES)),
    ];
  } finally {
    await Promise.all([pool.close(), cold.close()]);
  }
}

async function memory(rounds: number): Promise<Row> {
  const members: number[] = [];
  for (let round = 0; round < rounds; round++) members.push((await idleMemory()) / 1e6);
  if (members.some(Number.isNaN)) return skip(ROWS.memory, NO_SMAPS);
  return compare(
    ROWS.memory,
    members,
    members.map(() => IDLE_MB),
  );
}

/** With several members, so that what they share with each other is not counted; it belongs to none of them. */
async function idleMemory(): Promise<number> {
  const children = countChildren();
  const engine = createNodeEngine({ idlePerKey: READY });
  try {
    await runBody(engine);
    await until(() => children.pids().length === READY, "no members are ready");
    await pace(REST_MS)();
    return median(children.pids().map(privateBytes));
  } finally {
    await engine.close();
    children.stop();
  }
}

async function most(calls: number): Promise<Row> {
  const children = countChildren();
  const engine = createNodeEngine({ maxLive: MAX_PROCESSES, maxRunning: MAX_PROCESSES, maxWaitMs: 60_000 });
  try {
    await runBody(engine); // what looks for the jail is over then
    children.restart();
    await Promise.all(Array.from({ length: calls }, () => runBody(engine)));
    return compare(ROWS.most, [children.most()], [MAX_PROCESSES]);
  } finally {
    await engine.close();
    children.stop();
  }
}
