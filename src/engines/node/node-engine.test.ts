import { describe } from "vitest";
import { describeAttacks } from "../attack.contract.ts";
import { describeEngineContract } from "../engine.contract.ts";
import { createQuickjsEngine } from "../quickjs/quickjs-engine.ts";
import { describeSameSteps } from "../same-steps.contract.ts";
import { jailIsHere } from "./fixtures/jail-is-here.ts";
import { createNodeEngine } from "./node-engine.ts";

describe.skipIf(!(await jailIsHere()))("in a jail", () => {
  describeEngineContract("node", () => createNodeEngine(), "node");
  describeSameSteps(
    "quickjs",
    () => createQuickjsEngine(),
    "node",
    () => createNodeEngine(),
  );
  describeAttacks("node", () => createNodeEngine(), "node");
});
