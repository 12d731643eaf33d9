import type { ContainerSpec } from "../../machine/docker/containers.ts";
import type { ImageFacts } from "../../machine/docker/images.ts";
import type { DockerBase } from "./docker-base.ts";
import { SHELL_COMMAND, STATE_FOLDER, WORKING_FOLDER } from "./shell-program.ts";
import { sandboxSpec } from "./spec.ts";

export interface ShellLimits {
  /** All memory of a shell; what lies in its folders counts, and there is no swap. */
  memoryMiB: number;
  cpus: number;
}

/** As `sandboxSpec` has it. */
const NOBODY = 65_534;
/** Processes and threads. */
const PIDS = 256;
const MAX_TMP_MIB = 64;
/** Of one process; only for when nobody is there to end it. */
const CPU_SECONDS = 8 * 3_600;

/**
 * As hard as every sandbox, but with a folder to work in: in memory, bounded, and programs may be run from it. The image's
 * own variables stay, so that its programs are found.
 */
export function shellSpec(
  base: DockerBase,
  { id, volumes }: Pick<ImageFacts, "id" | "volumes">,
  limits: ShellLimits,
): ContainerSpec {
  const { memoryMiB, cpus } = limits;
  const tmpMiB = Math.max(1, Math.min(MAX_TMP_MIB, Math.floor(memoryMiB / 8)));
  const spec = sandboxSpec({
    imageId: id,
    volumes: [], // below: here they can be written
    command: SHELL_COMMAND,
    limits: { memoryMiB, cpus, pids: PIDS, cpuSeconds: CPU_SECONDS, tmpMiB },
    labels: base.marks.of("shell"),
    ipc: "private",
    ...(base.runtime !== undefined && { runtime: base.runtime }),
  });
  // Owned by who works in it, besides its mode: where the image has such a folder, the daemon gives it that one's mode.
  const folder = (how: string, sizeKiB: number) =>
    `rw,${how},nosuid,nodev,size=${sizeKiB}k,mode=1777,uid=${NOBODY},gid=${NOBODY}`;
  return {
    ...spec,
    Env: ["TZ=UTC", `HOME=${WORKING_FOLDER}`],
    WorkingDir: WORKING_FOLDER,
    HostConfig: {
      ...spec.HostConfig,
      Tmpfs: {
        // In the place of volumes, which would be on the host's disk, without a bound.
        ...Object.fromEntries(volumes.map((each) => [each, folder("noexec", tmpMiB * 1024)])),
        ...spec.HostConfig?.Tmpfs,
        [WORKING_FOLDER]: folder("exec", Math.floor((memoryMiB * 1024) / 2)),
        [STATE_FOLDER]: folder("noexec", 1024),
      },
    },
  };
}
