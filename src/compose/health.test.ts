import { describe, expect, it } from "vitest";
import type { EngineHealth, EngineName } from "../engines/engine.ts";
import { createHealth } from "./health.ts";

const healths: Record<EngineName, EngineHealth> = {
  quickjs: { name: "quickjs", isAvailable: true, level: "a" },
  docker: { name: "docker", isAvailable: false, level: "b", problem: "no daemon", detail: { address: "tcp://10.0.0.1:2376", pool: {} } }, // prettier-ignore
  node: { name: "node", isAvailable: false, level: "c", problem: "no jail" },
};

function health(use: "auto" | EngineName) {
  let nowMs = Date.UTC(2026, 0, 1);
  let probes = 0;
  const ask = createHealth({
    version: "1",
    engines: Object.values(healths).map((each) => ({ name: each.name, probe: async () => (probes++, each) })),
    use,
    store: { health: async () => ({ backend: "memory", location: "/secret/place", schemaVersion: 1, isWritable: true, items: 0, quarantined: 0 }) }, // prettier-ignore
    packages: { health: async () => ({ layers: 0, bytes: 0, budgetBytes: 1, installer: "bubblewrap" }) },
    counts: () => ({ tools: 0, enabled: 0, quarantined: 0 }),
    servers: () => ({ servers: 0, connected: 0, down: 0 }),
    now: () => nowMs,
  });
  return { ask, wait: (ms: number) => void (nowMs += ms), probes: () => probes };
}

describe("the health of the server", () => {
  it.each([
    ["auto", "ok"],
    ["quickjs", "ok"],
    ["node", "ok"],
    ["docker", "degraded"],
  ] as const)("counts the engines that the setting %s runs code in", async (use, status) => {
    expect(await health(use).ask()).toMatchObject({ status });
  });

  it("says nothing of where things are", async () => {
    const text = JSON.stringify(await health("auto").ask());
    expect(text).not.toContain("10.0.0.1");
    expect(text).not.toContain("/secret/place");
    expect(text).toContain("no daemon");
  });

  it("looks again soon at what is broken, and not for every question", async () => {
    const { ask, wait, probes } = health("auto");
    await Promise.all([ask(), ask()]);
    expect(probes()).toBe(3);
    wait(1_000);
    await ask();
    expect(probes()).toBe(3);
    wait(1_500);
    await ask();
    expect(probes()).toBe(6);
  });
});
