import type { Deadline } from "../../core/deadline.ts";
import { ENGINE_LEVELS, type EngineHealth, type JobEnd } from "../engine.ts";
import { probeProblem } from "../process/probe-job.ts";
import type { DockerBase } from "./docker-base.ts";

/** gVisor answers system calls itself, so the host's kernel is not what holds the code in. */
const OWN_KERNEL: ReadonlySet<string> = new Set(["runsc", "kata", "kata-runtime", "io.containerd.kata.v2"]);

export const hasOwnKernel = (runtime: string | undefined) => runtime !== undefined && OWN_KERNEL.has(runtime);

export function levelOf(runtime: string | undefined): string {
  if (runtime === undefined) return ENGINE_LEVELS.docker;
  if (hasOwnKernel(runtime)) return `a container without network, with a kernel of its own (${runtime})`;
  return `${ENGINE_LEVELS.docker}; runtime ${runtime}`;
}

/**
 * Looks at the daemon and, when the image is there, runs a job. Fetches no image for that: it would take minutes.
 * @throws ENGINE_UNAVAILABLE when no daemon answers
 */
export async function healthOf(
  base: DockerBase,
  how: { deadline: Deadline; pool(): Record<string, unknown>; run(): Promise<JobEnd> },
): Promise<EngineHealth> {
  const { client, runtime, defaultImage: image } = base;
  const { signal } = how.deadline;
  const { address, apiVersion } = await client.ping({ signal });
  const [version, info, facts] = await Promise.all([
    client.version({ signal }),
    client.info({ signal }),
    client.images.inspect(image, { signal }),
  ]);
  const health = (problem: string | undefined): EngineHealth => ({
    name: "docker",
    isAvailable: problem === undefined,
    level: levelOf(runtime),
    ...(problem !== undefined && { problem }),
    ...(problem === undefined &&
      facts === undefined && { note: `its image ${image} is fetched when it is first needed` }),
    detail: {
      address,
      apiVersion,
      version: version.version,
      isPodman: version.isPodman,
      isRootless: info.isRootless,
      runtime: runtime ?? "the daemon's own",
      image,
      isImageThere: facts !== undefined,
      pool: how.pool(),
    },
  });
  if (runtime !== undefined && !info.runtimes.includes(runtime)) {
    return health(
      `the Docker daemon knows no runtime ${runtime}; it knows ${info.runtimes.join(", ")}: install it, name it in the daemon's daemon.json and restart the daemon`,
    );
  }
  if (!facts)
    return health(base.fetches ? undefined : `there is no image ${image}: load it, or allow it to be fetched`);
  return health(probeProblem(await how.run()));
}
