import type { DynamicMcpError } from "../../core/errors.ts";
import { createMember, explainExit, type Member } from "../process/member.ts";
import type { Layer } from "../engine.ts";
import type { DockerBase } from "./docker-base.ts";
import { hasOwnKernel } from "./health.ts";
import { guestFlags, nodeCommand, scriptInput } from "./node-program.ts";
import { type SandboxChild, startSandbox } from "./sandbox.ts";
import { sandboxSpec, type SandboxSpec } from "./spec.ts";

/** All that makes two containers alike. */
export interface Recipe {
  imageId: string;
  /** Of the image: see `ImageFacts`. */
  volumes: readonly string[];
  /** The name that it was found by. */
  image: string;
  /** Of its Node. */
  version: string;
  ipc: SandboxSpec["ipc"];
  hasInit: boolean;
  /** What the guest may use. */
  memoryMiB: number;
  cpus: number;
  layer?: Layer & { volume: string };
  /** The runner's text. */
  script: Uint8Array;
}

/** Node itself, before a guest does anything, and what the guest puts into /tmp. */
export const NODE_MIB = 64;
export const TMP_MIB = 16;
/** A runtime with a kernel of its own needs memory for that. */
const KERNEL_MIB = 128;
const PIDS = 64;
/** Only for when nobody is there to end it: longer than any job. */
export const CPU_SECONDS = 900;
const READY_WITHIN_MS = 30_000;

export function recipeKey({ imageId, layer, memoryMiB, cpus }: Recipe): string {
  return [imageId, layer?.volume ?? "", memoryMiB, cpus].join("|");
}

/** What the recipe says of a container, whatever runs in it. */
export function containerOf(
  base: DockerBase,
  recipe: Recipe,
): Pick<SandboxSpec, "imageId" | "volumes" | "ipc" | "runtime" | "layerVolume"> {
  return {
    imageId: recipe.imageId,
    volumes: recipe.volumes,
    ipc: recipe.ipc,
    ...(base.runtime !== undefined && { runtime: base.runtime }),
    ...(recipe.layer && { layerVolume: recipe.layer.volume }),
  };
}

export const kernelMiB = (base: DockerBase) => (base.runtime === undefined ? 0 : KERNEL_MIB);

/** A container in which one job will run, or one after the other. It is started at once. */
export function startOneShot(
  base: DockerBase,
  recipe: Recipe,
  on: {
    maxFrameBytes: number;
    /** Whether its process stays for further jobs. */
    isReused: boolean;
    onWaiting(): void;
    /** Its image or its packages are gone. */
    onStale(): void;
    /** The daemon could not be asked any more. */
    onLost(error: DynamicMcpError): void;
  },
): Member {
  const { memoryMiB, cpus, layer } = recipe;
  const spec = sandboxSpec({
    ...containerOf(base, recipe),
    hasInit: recipe.hasInit,
    command: nodeCommand(guestFlags(recipe.version, { memoryMiB, cpus, folder: "/tmp" }), [
      "stdio",
      ...(on.isReused ? ["again"] : []),
    ]),
    limits: {
      memoryMiB: memoryMiB + NODE_MIB + kernelMiB(base),
      cpus,
      pids: PIDS,
      cpuSeconds: CPU_SECONDS,
      tmpMiB: TMP_MIB,
    },
    labels: base.marks.of("sandbox"),
  });
  let child: SandboxChild | undefined;
  const stale = (error: unknown) => {
    on.onStale();
    throw error;
  };
  return createMember({
    engine: "docker",
    readyWithinMs: READY_WITHIN_MS,
    onWaiting: on.onWaiting,
    explainExit: (exit) => child?.failure() ?? explainExit(exit),
    start(onFrame) {
      child = startSandbox({
        containers: base.client.containers,
        spec,
        preface: scriptInput(recipe.script),
        onFrame,
        maxFrameBytes: on.maxFrameBytes,
        onMade: base.made,
        remove: base.remove,
        hasOwnKernel: hasOwnKernel(base.runtime),
        ...(layer && { onCreated: () => assertLayer(base, layer, () => child?.exited).catch(stale) }),
      });
      void child.exited.then(() => {
        if (child?.loss) on.onLost(child.loss);
        if (child?.refusal?.status !== 404) return;
        base.images.forget(recipe.image);
        on.onStale();
      });
      return child;
    },
  });
}

/**
 * The daemon makes an empty volume where one was removed just now: that must not pass for the layer.
 *
 * @param gone resolves when the container is
 * @throws Error when it did
 */
export async function assertLayer(
  base: DockerBase,
  layer: Layer & { volume: string },
  gone: () => Promise<unknown> | undefined,
): Promise<void> {
  if (await base.layers.isSound(layer.volume)) return;
  base.layers.forget(layer);
  const discarded = gone()?.then(() => base.layers.discard(layer.volume));
  discarded?.catch((error: unknown) => base.log.debug({ why: String(error) }, "an empty volume is left"));
  throw new Error("the volume with the packages is gone");
}
