import { describe } from "vitest";
import { describeHostAccess } from "../host-access.contract.ts";
import { jailIsHere } from "./fixtures/jail-is-here.ts";
import { createNodeEngine } from "./node-engine.ts";

describe.skipIf(!(await jailIsHere()))("in a jail", () => {
  describeHostAccess("node", async () => createNodeEngine());
});
