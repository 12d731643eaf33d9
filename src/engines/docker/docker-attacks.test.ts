import { describe } from "vitest";
import { describeAttacks } from "../attack.contract.ts";
import { docker, openEngine } from "./fixtures/open-engine.ts";

/** Each attack takes a container, and so does the job after it: two of both are ready while the next ones start. */
describe.skipIf(!docker)("in containers", () => {
  describeAttacks("docker", () => openEngine({ warm: 4 }), "node");
});
