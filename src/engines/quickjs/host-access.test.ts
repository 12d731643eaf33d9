import { describeHostAccess } from "../host-access.contract.ts";
import { createQuickjsEngine } from "./quickjs-engine.ts";

describeHostAccess("quickjs", async () => createQuickjsEngine({}));
