import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { ImageFacts } from "../../machine/docker/images.ts";
import { raced } from "../../machine/docker/docker.ts";
import { DockerError } from "../../machine/docker/docker-error.ts";
import type { DockerBase } from "./docker-base.ts";
import { permissionFlag } from "../../machine/node-flags.ts";
import { sandboxSpec, type SandboxSpec } from "./spec.ts";

/** What containers are made of. */
export type ImageMade = Pick<ImageFacts, "id" | "volumes">;

/** What was found out about an image by starting a container of it, once. */
export interface NodeImage {
  /** Of its Node: `24.21.0`. */
  version: string;
  ipc: SandboxSpec["ipc"];
  hasInit: boolean;
}

/** What some daemons and runtimes refuse, tried from best to worst. */
const WAYS: readonly Pick<NodeImage, "ipc" | "hasInit">[] = [
  { ipc: "none", hasInit: true },
  { ipc: "private", hasInit: true },
  { ipc: "private", hasInit: false },
];

type Base = Pick<DockerBase, "client" | "marks" | "runtime" | "made" | "remove">;

const PROBE_LIMITS = { memoryMiB: 128, cpus: 1, pids: 64, cpuSeconds: 10, tmpMiB: 1 };
const PROBE_TIMEOUT_MS = 30_000;
/** As a shell says it, and the daemon: the program is not there, or cannot be run. */
const NOT_FOUND: ReadonlySet<number> = new Set([126, 127]);

/**
 * Asks each image once for its Node, with the very settings that its containers will have.
 *
 * @returns a function that throws IMAGE_UNUSABLE when there is no Node in the image, or too old a one; ENGINE_UNAVAILABLE
 */
export function createNodeImages(base: Base): (image: ImageMade, deadline: Deadline) => Promise<NodeImage> {
  const known = new Map<string, Promise<NodeImage>>();
  return (image, deadline) => {
    let found = known.get(image.id);
    if (!found) {
      found = probe(base, image, WAYS);
      known.set(image.id, found);
      found.catch(() => known.delete(image.id));
    }
    return raced(found, deadline.signal);
  };
}

async function probe(base: Base, image: ImageMade, ways: typeof WAYS): Promise<NodeImage> {
  const [way = { ipc: "private", hasInit: false }, ...others] = ways;
  const { containers } = base.client;
  const odd = image.volumes.find((folder) => !/^\/+[^/]/.test(folder));
  if (odd !== undefined) throw unusable(`declares the volume ${odd.slice(0, 100)}, which no container can have`);
  const id = await containers.create(
    sandboxSpec({
      imageId: image.id,
      volumes: image.volumes,
      command: ["node", "-p", "process.versions.node"],
      limits: PROBE_LIMITS,
      labels: base.marks.of("probe"),
      ...way,
      ...(base.runtime !== undefined && { runtime: base.runtime }),
    }),
  );
  base.made(id);
  try {
    let told = "";
    const onStdout = (chunk: Uint8Array) => void (told = (told + Buffer.from(chunk).toString("latin1")).slice(0, 100));
    const stream = await containers.attach(id, { onStdout, onStderr() {} });
    try {
      await containers.start(id);
      await containers.wait(id, { timeoutMs: PROBE_TIMEOUT_MS });
      await stream.ended;
    } finally {
      stream.destroy();
    }
    const exitCode = (await containers.inspect(id))?.exitCode;
    if (exitCode !== 0 && !NOT_FOUND.has(exitCode ?? 0)) throw endedEarly(exitCode);
    const version = /^\d+\.\d+\.\d+/.exec(told)?.[0];
    if (version === undefined || permissionFlag(version) === undefined) throw noNode(version);
    return { version, ...way };
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    const facts = await containers.inspect(id);
    if (NOT_FOUND.has(facts?.exitCode ?? 0)) throw noNode(undefined, error);
    if (others.length > 0) return await probe(base, image, others);
    throw new DynamicMcpError("ENGINE_UNAVAILABLE", `the Docker daemon does not start containers: ${error.message}`, {
      data: { engine: "docker" },
      cause: error,
    });
  } finally {
    void base.remove(id);
  }
}

function endedEarly(exitCode: number | undefined): DynamicMcpError {
  const how = exitCode === undefined ? "was removed" : `ended with exit code ${exitCode}`;
  const what = `a container of the image ${how} before it told the version of its Node; try again`;
  return new DynamicMcpError("ENGINE_UNAVAILABLE", what, { data: { engine: "docker" } });
}

function noNode(version: string | undefined, cause?: unknown): DynamicMcpError {
  if (version === undefined) return unusable("has no Node that could be started as `node`", cause);
  return unusable(`has Node ${version}, which cannot be locked`, cause);
}

function unusable(why: string, cause?: unknown): DynamicMcpError {
  const what = `the container image ${why}: choose an image with Node 20 or newer, such as node:lts-slim`;
  return new DynamicMcpError("IMAGE_UNUSABLE", what, { cause });
}
