import { describe } from "vitest";
import { describeEngineContract } from "../engine.contract.ts";
import { describeHostAccess } from "../host-access.contract.ts";
import { createQuickjsEngine } from "../quickjs/quickjs-engine.ts";
import { describeSameSteps } from "../same-steps.contract.ts";
import { docker, openEngine } from "./fixtures/open-engine.ts";

const open = () => openEngine({ warm: 4 });

describe.skipIf(!docker)("in containers", () => {
  describeEngineContract("docker", open, "node");
  describeSameSteps("quickjs", () => createQuickjsEngine(), "docker", open);
  describeHostAccess("docker", async () => open());
});
