import { afterAll, describe } from "vitest";
import type { ExecutionEngine } from "../engine.ts";
import { describeNestedCalls } from "../nested-calls.contract.ts";
import { createDockerBase, type DockerBase } from "./docker-base.ts";
import { createDockerEngine } from "./docker-engine.ts";
import { docker } from "./fixtures/open-engine.ts";
import { LABEL } from "./marks.ts";

/** Room for one program in another as deep as calls may be, beside containers for many calls. */
const ENOUGH = 25;

describe.skipIf(!docker)("in containers", () => {
  afterAll(() => docker?.client.close());
  let base: DockerBase | undefined;

  describeNestedCalls("docker", {
    jobs: 16,
    open({ places = ENOUGH, maxWaitMs }): ExecutionEngine {
      const own = createDockerBase({ defaultImage: docker?.images.node ?? "" });
      base = own;
      const engine = createDockerEngine(own, { maxContainers: places, warm: 1, maxWaitMs });
      return { ...engine, close: () => engine.close().then(() => own.close()) };
    },
    async sandboxes() {
      const labels = [`${LABEL.instance}=${base?.marks.instance}`];
      return ((await docker?.client.containers.list(labels)) ?? []).filter(({ state }) => state === "running").length;
    },
  });
});
