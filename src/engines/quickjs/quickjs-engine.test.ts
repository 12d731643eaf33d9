import { describeAttacks } from "../attack.contract.ts";
import { describeEngineContract } from "../engine.contract.ts";
import { createQuickjsEngine } from "./quickjs-engine.ts";

describeEngineContract("quickjs", () => createQuickjsEngine());
describeAttacks("quickjs", () => createQuickjsEngine());
