import path from "node:path";
import type { ContainerSpec, HostConfig } from "../../machine/docker/containers.ts";

/** What every container of ours is made of, whatever runs in it. */
export interface SandboxLimits {
  /** All memory of the container, its /tmp included; there is no swap. */
  memoryMiB: number;
  cpus: number;
  /** Processes and threads; one Node has about a dozen. */
  pids: number;
  /** CPU seconds of one process, for when the server that would end it is gone. */
  cpuSeconds: number;
  tmpMiB: number;
}

export interface SandboxSpec {
  imageId: string;
  /** Of the image: see `ImageFacts`. */
  volumes: readonly string[];
  command: readonly string[];
  limits: SandboxLimits;
  labels: Readonly<Record<string, string>>;
  /** As the daemon names it: `runsc` for gVisor; absent: the daemon's own. */
  runtime?: string;
  /** A volume with packages, read-only at /node_modules. */
  layerVolume?: string;
  /** Some daemons and runtimes refuse to go without: see `node-images.ts`. */
  ipc: "none" | "private";
  /** A small first process beside the program, so that signals work on it as they do elsewhere. */
  hasInit?: boolean;
}

/** Nobody: owns no file of an image. */
const USER = "65534:65534";
export const LAYER_FOLDER = "/node_modules";
const MIB = 2 ** 20;
const CPU_PERIOD_US = 100_000;

/**
 * No network, no capability, no way to gain one, nothing that can be written but a small /tmp, nothing kept of what it
 * prints. The daemon's own seccomp and AppArmor profiles stay.
 */
export function sandboxSpec(spec: SandboxSpec): ContainerSpec {
  return {
    Image: spec.imageId,
    Entrypoint: [],
    Cmd: spec.command,
    Env: ["TZ=UTC", "HOME=/tmp", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    User: USER,
    WorkingDir: "/",
    Labels: spec.labels,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    // The program in it sees the end of its input when we are gone, and leaves.
    StdinOnce: true,
    NetworkDisabled: true,
    Healthcheck: { Test: ["NONE"] },
    HostConfig: hostConfig(spec),
  };
}

function hostConfig({ limits, runtime, volumes, layerVolume, ipc, hasInit }: SandboxSpec): HostConfig {
  return {
    ReadonlyRootfs: true,
    NetworkMode: "none",
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges"],
    PidsLimit: limits.pids,
    Memory: limits.memoryMiB * MIB,
    MemorySwap: limits.memoryMiB * MIB,
    // Not NanoCpus: daemons refuse more of those than the machine has.
    CpuPeriod: CPU_PERIOD_US,
    CpuQuota: Math.max(1_000, Math.round(limits.cpus * CPU_PERIOD_US)),
    IpcMode: ipc,
    Init: hasInit ?? false,
    Tmpfs: {
      ...inPlaceOf(volumes, layerVolume === undefined ? [] : [LAYER_FOLDER]),
      "/tmp": `rw,noexec,nosuid,nodev,size=${limits.tmpMiB}m,mode=1777`,
    },
    LogConfig: { Type: "none", Config: {} },
    Ulimits: [
      { Name: "core", Soft: 0, Hard: 0 },
      { Name: "nofile", Soft: 1_024, Hard: 1_024 },
      { Name: "cpu", Soft: limits.cpuSeconds, Hard: limits.cpuSeconds },
    ],
    ...(runtime !== undefined && { Runtime: runtime }),
    ...(layerVolume !== undefined && { Mounts: [layerMount(layerVolume, true)] }),
  };
}

/**
 * For each folder that the image wants a volume for, the daemon would make one on its disk, which can be written without
 * a bound whatever the root is. An empty folder that cannot be written takes that place.
 *
 * @param taken folders at which something of ours is mounted already
 */
export function inPlaceOf(volumes: readonly string[], taken: readonly string[] = []): Record<string, string> {
  const folders = volumes.map((each) => path.posix.normalize(each).replace(/(?<=.)\/$/, ""));
  return Object.fromEntries(folders.filter((each) => !taken.includes(each)).map((each) => [each, EMPTY_FOLDER]));
}

const EMPTY_FOLDER = "ro,noexec,nosuid,nodev,size=4k,mode=555";

export function layerMount(volume: string, isReadOnly: boolean): NonNullable<HostConfig["Mounts"]>[number] {
  const VolumeOptions = { NoCopy: true };
  return { Type: "volume", Source: volume, Target: LAYER_FOLDER, ReadOnly: isReadOnly, VolumeOptions };
}
