import { describe } from "vitest";
import { describeNestedCalls } from "../nested-calls.contract.ts";
import { childrenOf } from "./fixtures/processes.ts";
import { jailIsHere } from "./fixtures/jail-is-here.ts";
import { createNodeEngine } from "./node-engine.ts";

describe.skipIf(!(await jailIsHere()))("in a jail", () => {
  describeNestedCalls("node", {
    open: ({ places, maxWaitMs }) => createNodeEngine({ maxWaitMs, ...(places !== undefined && { maxLive: places }) }),
    sandboxes: () => childrenOf(process.pid).filter((command) => command.includes("node-runner")).length,
  });
});
