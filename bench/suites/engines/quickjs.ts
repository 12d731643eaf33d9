/** The interpreter, beside a bare `node -e 0`. */
import type { ExecutionEngine } from "../../../src/engines/engine.ts";
import { createQuickjsEngine } from "../../../src/engines/quickjs/quickjs-engine.ts";
import { hostCallMs, runBody } from "../../lib/jobs.ts";
import { HAS_PROC, NO_PROC, rssBytes } from "../../lib/proc.ts";
import { compare, inTurn, type Row, skip } from "../../lib/rounds.ts";
import { type Effort, scaled } from "../../lib/suite.ts";
import { bareNode, p50, perSecond } from "../../lib/timing.ts";

const ROWS = {
  warm: { what: "engines: quickjs, warm p50, to bare node", unit: "ms", demand: { atMost: 0.04 } },
  calls: { what: "engines: quickjs, 8 callers, to bare node", unit: "calls/s", demand: { atLeast: 40 } },
  text: { what: "engines: quickjs, 1 MB of text in and out", unit: "ms", demand: { atMost: 2.5 } },
  objects: { what: "engines: quickjs, 1 MB of small objects in and out", unit: "ms", demand: { atMost: 2.5 } },
  host: { what: "engines: quickjs, one host call, to bare node", unit: "ms" },
  growth: { what: "engines: quickjs, RSS after 20,000 calls, to after 500", unit: "MB", demand: { atMost: 1.5 } },
};

const TEXT = JSON.stringify({ text: "x".repeat(1_000_000) });
const OBJECTS = JSON.stringify({
  list: Array.from({ length: 23_500 }, (_, id) => ({ id, name: `name ${id}`, on: id % 2 === 0 })),
});

export async function quickjs(effort: Effort): Promise<Row[]> {
  const engine = createQuickjsEngine();
  try {
    const [warm, load, large, spawns] = [scaled(1_000, effort, 20), scaled(4_000, effort, 40), scaled(20, effort, 3), scaled(30, effort, 5)]; // prettier-ignore
    for (let turn = 0; turn < 50; turn++) await runBody(engine);
    const figures = await inTurn(effort.rounds, {
      bare: () => p50(spawns, bareNode),
      warm: () => p50(warm, () => runBody(engine)),
      bareCalls: () => perSecond(spawns * 2, bareNode),
      calls: () => perSecond(load, () => runBody(engine)),
      text: () => p50(large, () => runBody(engine, "return args", TEXT)),
      objects: () => p50(large, () => runBody(engine, "return args", OBJECTS)),
      host: () => hostCallMs(engine, large),
    });
    return [
      compare(ROWS.warm, figures.warm, figures.bare),
      compare(ROWS.calls, figures.calls, figures.bareCalls),
      compare(ROWS.text, figures.text, figures.bare),
      compare(ROWS.objects, figures.objects, figures.bare),
      compare(ROWS.host, figures.host, figures.bare),
      HAS_PROC ? await growth(scaled(20_000, effort, 1_000)) : skip(ROWS.growth, NO_PROC),
    ];
  } finally {
    await engine.close();
  }
}

/** One process that is never replaced, so that what leaks would show. */
async function growth(calls: number): Promise<Row> {
  const engine = createQuickjsEngine({ maxProcesses: 1, recycleAfterJobs: Infinity });
  try {
    for (let turn = 0; turn < 500; turn++) await runBody(engine);
    const before = await rssOfChild(engine);
    for (let turn = 0; turn < calls; turn++) await runBody(engine);
    return compare(ROWS.growth, [await rssOfChild(engine)], [before]);
  } finally {
    await engine.close();
  }
}

async function rssOfChild(engine: ExecutionEngine): Promise<number> {
  const { detail } = await engine.probe();
  const processes = (detail?.["processes"] ?? []) as { pid: number }[];
  return rssBytes(processes[0]?.pid ?? 0) / 1e6;
}
