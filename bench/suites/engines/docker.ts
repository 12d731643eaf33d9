/** Containers over the Engine API, beside the command line that starts one, and beside a bare `node -e 0`. */
import { findImage, runDocker } from "../../lib/docker-cli.ts";
import { openDockerEngine } from "../../lib/docker-engines.ts";
import { hostCallMs, runBody } from "../../lib/jobs.ts";
import { compare, inTurn, type Row, skipAll } from "../../lib/rounds.ts";
import { type Effort, scaled } from "../../lib/suite.ts";
import { bareNode, p50, pace, perSecond } from "../../lib/timing.ts";

/** Long enough to have a warm container again; the next call begins only then. */
const PACE_MS = 750;

const ROWS = {
  cold: { what: "engines: docker, cold (none started ahead), to docker run", unit: "ms", demand: { atMost: 0.9 } },
  first: { what: "engines: docker, first job of a server, to docker run", unit: "ms" },
  warm: { what: `engines: docker, warm p50, a call every ${PACE_MS} ms, to docker run`, unit: "ms", demand: { atMost: 0.02 } }, // prettier-ignore
  calls: { what: "engines: docker, 8 callers of one tool, to bare node", unit: "calls/s", demand: { atLeast: 0.3 } },
  host: { what: "engines: docker, one host call, to bare node", unit: "ms" },
};

export async function docker(effort: Effort): Promise<Row[]> {
  const found = await findImage();
  if ("problem" in found) return skipAll(ROWS, found.problem);
  const { image } = found;
  const cold = openDockerEngine(image, { warm: 0 });
  const warm = openDockerEngine(image);
  const sustained = openDockerEngine(image, { crowdIdleMs: 600_000 });
  try {
    const [few, some, load, spawns] = [scaled(5, effort), scaled(15, effort, 2), scaled(150, effort, 16), scaled(30, effort, 5)]; // prettier-ignore
    await runBody(cold.engine);
    await runBody(warm.engine);
    // From then on the tool has a container of its own, as it has when it is called all the time.
    await perSecond(scaled(60, effort, 16), () => runBody(sustained.engine));
    const quiet = pace(PACE_MS);
    const thenQuiet = async (figure: Promise<number>) => {
      const value = await figure;
      await quiet();
      return value;
    };
    const figures = await inTurn(effort.rounds, {
      run: () => p50(some, () => runDocker("run", "--rm", "--network", "none", image, "true")),
      cold: () => p50(some, () => runBody(cold.engine), cold.allGone),
      first: () => thenQuiet(firstJobMs(image)),
      warm: () => p50(some, () => runBody(warm.engine), quiet),
      calls: () => thenQuiet(perSecond(load, () => runBody(sustained.engine))),
      bareCalls: () => perSecond(spawns * 2, bareNode),
      bare: () => p50(spawns, bareNode),
      host: () => hostCallMs(warm.engine, few, quiet),
    });
    return [
      compare(ROWS.cold, figures.cold, figures.run),
      compare(ROWS.first, figures.first, figures.run),
      compare(ROWS.warm, figures.warm, figures.run),
      compare(ROWS.calls, figures.calls, figures.bareCalls),
      compare(ROWS.host, figures.host, figures.bare),
    ];
  } finally {
    await Promise.all([cold, warm, sustained].map((each) => each.close()));
  }
}

/** It also finds the daemon, and what Node the image has. */
async function firstJobMs(image: string): Promise<number> {
  const { engine, close } = openDockerEngine(image);
  try {
    return await p50(1, () => runBody(engine));
  } finally {
    await close();
  }
}
