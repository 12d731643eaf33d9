import { createDockerBase, type DockerBase } from "../../src/engines/docker/docker-base.ts";
import { createDockerEngine, type DockerEngineOptions } from "../../src/engines/docker/docker-engine.ts";
import { LABEL } from "../../src/engines/docker/marks.ts";
import type { ExecutionEngine } from "../../src/engines/engine.ts";
import { until } from "./timing.ts";

export interface DockerEngine {
  engine: ExecutionEngine;
  base: DockerBase;
  /** What all its containers bear, as a filter: `name=value`. */
  label: string;
  /** Waits until none of its containers is left. */
  allGone(): Promise<void>;
  close(): Promise<void>;
}

export function openBase(image: string): DockerBase {
  const host = process.env["DOCKER_HOST"];
  return createDockerBase({ defaultImage: image, pull: "never", ...(host !== undefined && { host }) });
}

/** An engine with a base of its own, as in a server that has just been started. */
export function openDockerEngine(image: string, options: DockerEngineOptions = {}): DockerEngine {
  const base = openBase(image);
  const engine = createDockerEngine(base, options);
  const label = `${LABEL.instance}=${base.marks.instance}`;
  const isEmpty = async () => (await base.client.containers.list([label])).length === 0;
  return {
    engine,
    base,
    label,
    allGone: () => until(isEmpty, "containers are left"),
    async close() {
      await engine.close();
      await base.close();
    },
  };
}
