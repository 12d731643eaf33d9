/** What containers cost while nobody calls, and that there are never more than allowed. */
import { askDocker, countContainers, findImage } from "../../lib/docker-cli.ts";
import { openDockerEngine } from "../../lib/docker-engines.ts";
import { runBody, upperOf } from "../../lib/jobs.ts";
import { isOfContainer, NO_SMAPS, ownPrivateBytes, parentOf, privateBytes, programOf } from "../../lib/proc.ts";
import { compare, median, type Row, skip, skipAll } from "../../lib/rounds.ts";
import { type Effort, scaled } from "../../lib/suite.ts";
import { pace, until } from "../../lib/timing.ts";

const READY = 2;
const MAX_CONTAINERS = 8;
const IDLE_MB = 10;
/** Called at once: enough of them for all kinds of containers. */
const TOOLS = 4;
/** To come to rest after its start. */
const REST_MS = 500;

const ROWS = {
  memory: { what: `engines: docker, private memory of an idle member, to ${IDLE_MB} MB`, unit: "MB", demand: { atMost: 1 } }, // prettier-ignore
  shim: { what: `engines: docker, private memory of its shim (the daemon's own), to ${IDLE_MB} MB`, unit: "MB" },
  most: { what: "engines: docker, most containers at 100 parallel calls, to their limit", unit: "containers", demand: { atMost: 1 } }, // prettier-ignore
};

export async function containers(effort: Effort): Promise<Row[]> {
  const found = await findImage();
  if ("problem" in found) return skipAll(ROWS, found.problem);
  return [...(await memory(found.image, effort.rounds)), await most(found.image, scaled(100, effort, 24))];
}

async function memory(image: string, rounds: number): Promise<Row[]> {
  const members: number[] = [];
  const shims: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const idle = await idleMemory(image);
    if (!idle)
      return [ROWS.memory, ROWS.shim].map((row) => skip(row, "the daemon's processes are not on this machine"));
    members.push(idle.member / 1e6);
    shims.push(idle.shim / 1e6);
  }
  if (members.some(Number.isNaN)) return [ROWS.memory, ROWS.shim].map((row) => skip(row, NO_SMAPS));
  const limits = members.map(() => IDLE_MB);
  return [compare(ROWS.memory, members, limits), compare(ROWS.shim, shims, limits)];
}

/**
 * With several members, so that what they share with each other is not counted; it belongs to none of them.
 *
 * @returns bytes, or undefined when the containers run elsewhere
 */
async function idleMemory(image: string): Promise<{ member: number; shim: number } | undefined> {
  const { engine, label, close } = openDockerEngine(image, { warm: READY });
  const running = () => askDocker("ps", "--quiet", "--no-trunc", "--filter", `label=${label}`);
  try {
    await runBody(engine);
    await pace(REST_MS)();
    await until(async () => (await running()).length === READY, "no containers are ready");
    await pace(REST_MS)();
    const ids = await running();
    const pids = (await askDocker("inspect", "--format", "{{.State.Pid}}", ...ids)).map(Number);
    if (!pids.every((pid, at) => isOfContainer(pid, ids[at] ?? ""))) return undefined;
    const shims = pids.map(parentOf).filter((pid) => programOf(pid).startsWith("containerd-shim"));
    return { member: median(pids.map(privateBytes)), shim: median(shims.map(ownPrivateBytes)) };
  } finally {
    await close();
  }
}

async function most(image: string, calls: number): Promise<Row> {
  const { engine, base, label, close } = openDockerEngine(image, { maxContainers: MAX_CONTAINERS, maxWaitMs: 60_000 });
  const count = countContainers(label, await base.client.timeMs());
  try {
    await Promise.all(Array.from({ length: calls }, (_, at) => runBody(engine, upperOf(at % TOOLS))));
    await close();
    await until(() => count.most() > 0 && count.now() === 0, "containers are left");
    return compare(ROWS.most, [count.most()], [MAX_CONTAINERS]);
  } finally {
    await close();
    count.stop();
  }
}
