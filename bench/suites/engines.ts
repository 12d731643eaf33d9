/** What running a body costs, beside a bare `node -e 0` with a clean environment in the same run. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { Deadline } from "../../src/core/deadline.ts";
import { type ExecutionEngine, NO_ACCESS } from "../../src/engines/engine.ts";
import { createQuickjsEngine } from "../../src/engines/quickjs/quickjs-engine.ts";
import { HAS_PROC, NO_PROC, rssBytes } from "../lib/proc.ts";
import { compare, inTurn, median, skip } from "../lib/rounds.ts";
import { scaled, type Suite } from "../lib/suite.ts";

const ROWS = {
  warm: { what: "engines: quickjs, warm p50, to bare node", unit: "ms", demand: { atMost: 0.04 } },
  calls: { what: "engines: quickjs, 8 callers, to bare node", unit: "calls/s", demand: { atLeast: 40 } },
  text: { what: "engines: 1 MB of text in and out, to bare node", unit: "ms", demand: { atMost: 2.5 } },
  objects: { what: "engines: 1 MB of small objects in and out", unit: "ms", demand: { atMost: 2.5 } },
  growth: { what: "engines: RSS after 20,000 calls, to after 500", unit: "MB", demand: { atMost: 1.5 } },
};

const UPPER = "const { text } = args; return { upper: String(text).toUpperCase() };";
const SMALL = JSON.stringify({ text: "hé" });
const TEXT = JSON.stringify({ text: "x".repeat(1_000_000) });
const OBJECTS = JSON.stringify({
  list: Array.from({ length: 23_500 }, (_, id) => ({ id, name: `name ${id}`, on: id % 2 === 0 })),
});

export const engines: Suite = {
  summary: "quickjs alone: warm, under load, with a megabyte, and its memory",
  async run(effort) {
    const engine = createQuickjsEngine();
    try {
      const [warm, load, large, spawns] = [scaled(1_000, effort, 20), scaled(4_000, effort, 40), scaled(20, effort, 3), scaled(30, effort, 5)]; // prettier-ignore
      await repeat(50, () => run(engine, UPPER, SMALL));
      const figures = await inTurn(effort.rounds, {
        bare: () => p50(spawns, bareNode),
        warm: () => p50(warm, () => run(engine, UPPER, SMALL)),
        bareCalls: () => perSecond(spawns * 2, bareNode),
        calls: () => perSecond(load, () => run(engine, UPPER, SMALL)),
        text: () => p50(large, () => run(engine, "return args", TEXT)),
        objects: () => p50(large, () => run(engine, "return args", OBJECTS)),
      });
      return [
        compare(ROWS.warm, figures.warm, figures.bare),
        compare(ROWS.calls, figures.calls, figures.bareCalls),
        compare(ROWS.text, figures.text, figures.bare),
        compare(ROWS.objects, figures.objects, figures.bare),
        HAS_PROC ? await growth(scaled(20_000, effort, 1_000)) : skip(ROWS.growth, NO_PROC),
      ];
    } finally {
      await engine.close();
    }
  },
};

async function run(engine: ExecutionEngine, js: string, argsJson: string): Promise<void> {
  const deadline = new Deadline(30_000);
  const end = await engine.run(
    {
      program: { js, digest: createHash("sha256").update(js).digest("hex"), name: "bench" },
      argsJson,
      limits: { memoryMiB: 64, argsBytes: 4e6, resultBytes: 4e6, logBytes: 0, hostCalls: { open: 0, total: 0 } },
      seed: "bench",
      startedAtMs: Date.now(),
      may: NO_ACCESS,
      scope: "bench",
    },
    { call: () => Promise.reject(new Error("this body calls nobody")) },
    deadline,
  );
  deadline.close();
  if (end.state !== "done") throw new Error(`${end.code}: ${end.message}`);
}

const bareNode = () =>
  new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, ["-e", "0"], { env: {}, stdio: "ignore" });
    child.on("error", reject);
    child.on("exit", () => resolve());
  });

async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  for (let turn = 0; turn < times; turn++) await work();
}

/** @returns ms */
async function p50(times: number, work: () => Promise<void>): Promise<number> {
  const took: number[] = [];
  await repeat(times, async () => {
    const startedAt = performance.now();
    await work();
    took.push(performance.now() - startedAt);
  });
  return median(took);
}

/** Finished calls per second of eight callers. */
async function perSecond(times: number, work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 8 }, () => repeat(times / 8, work)));
  return times / ((performance.now() - startedAt) / 1_000);
}

/** One process that is never replaced, so that what leaks would show. */
async function growth(calls: number) {
  const engine = createQuickjsEngine({ maxProcesses: 1, recycleAfterJobs: Infinity });
  try {
    await repeat(500, () => run(engine, UPPER, SMALL));
    const before = await rssOfChild(engine);
    await repeat(calls, () => run(engine, UPPER, SMALL));
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
