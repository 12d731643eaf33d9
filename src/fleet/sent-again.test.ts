import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { callTool, known, openFleet, rawServer } from "./fixtures/open-fleet.ts";

it.runIf(process.platform === "linux")(
  "sends a call once more that met a server which had just been killed",
  async () => {
    await using fleet = openFleet([rawServer("raw")]);
    await known(fleet, "raw");
    for (let kill = 0; kill < 3; kill++) {
      const pid = Number(await callTool(fleet, "raw__pid"));
      process.kill(pid, "SIGKILL");
      // Waits without giving us the chance to hear of it.
      while (isRunning(pid)) continue;
      expect(await callTool(fleet, "raw__echo", { value: "again" })).toBe("again");
    }
  },
);

/** With all its threads: as long as one is left, its pipes are open. */
function isRunning(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).length > 1 || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
