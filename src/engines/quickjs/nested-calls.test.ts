import { describeNestedCalls } from "../nested-calls.contract.ts";
import { childrenOf } from "../node/fixtures/processes.ts";
import { createQuickjsEngine } from "./quickjs-engine.ts";

describeNestedCalls("quickjs", {
  open: ({ places, maxWaitMs }) =>
    createQuickjsEngine({ maxWaitMs, ...(places !== undefined && { maxChildren: places }) }),
  sandboxes: () => childrenOf(process.pid).filter((command) => command.includes("quickjs-child")).length,
});
