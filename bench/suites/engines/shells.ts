/** A command in a shell, beside `docker exec` of the command line. */
import { randomUUID } from "node:crypto";
import { Deadline } from "../../../src/core/deadline.ts";
import { createDockerShellEngine } from "../../../src/engines/docker/shell-engine.ts";
import type { Shell } from "../../../src/engines/shells.ts";
import { findImage, runDocker } from "../../lib/docker-cli.ts";
import { openBase } from "../../lib/docker-engines.ts";
import { compare, inTurn, type Row, skipAll } from "../../lib/rounds.ts";
import { type Effort, scaled } from "../../lib/suite.ts";
import { p50 } from "../../lib/timing.ts";

const ROWS = {
  exec: { what: "engines: shell, `true`, to docker exec", unit: "ms", demand: { atMost: 0.6 } },
};

export async function shells(effort: Effort): Promise<Row[]> {
  const found = await findImage();
  if ("problem" in found) return skipAll(ROWS, found.problem);
  const base = openBase(found.image);
  const engine = createDockerShellEngine(base);
  const [ours, theirs] = [`bench-${randomUUID()}`, `bench-${randomUUID()}`];
  const deadline = new Deadline(600_000);
  try {
    const shell = await engine.open({ id: ours }, deadline, () => {});
    // An equal container for the command line: it bears the name that the shell was given.
    await engine.open({ id: theirs }, deadline, () => {});
    const times = scaled(20, effort, 2);
    const figures = await inTurn(effort.rounds, {
      theirs: () => p50(times, () => runDocker("exec", theirs, "true")),
      ours: () => p50(times, () => runTrue(shell, deadline)),
    });
    return [compare(ROWS.exec, figures.ours, figures.theirs)];
  } finally {
    deadline.close();
    await base.close();
  }
}

async function runTrue(shell: Shell, deadline: Deadline): Promise<void> {
  const end = await shell.exec("true", { timeoutMs: 30_000, maxOutputBytes: 1_000, deadline });
  if (end.exitCode !== 0) throw new Error(`true ended with ${JSON.stringify(end)}`);
}
