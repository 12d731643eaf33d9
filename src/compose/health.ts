import type { ToolCounts } from "../authored/authored.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { EngineHealth, ExecutionEngine } from "../engines/engine.ts";
import type { PackageStore } from "../machine/packages/packages.ts";
import type { Store } from "../store/store.ts";

export interface HealthServices {
  version: string;
  engines: readonly Pick<ExecutionEngine, "name" | "probe">[];
  store: Pick<Store, "health">;
  packages: Pick<PackageStore, "health">;
  counts: () => ToolCounts;
  /** ms since 1970 */
  now: () => number;
}

/** A probe runs real code: often enough to be true, seldom enough to be cheap. */
const PROBE_EVERY_MS = 30_000;

/**
 * What `system.health` says. Counted from the moment this is made.
 *
 * Everybody who can connect may ask, so it does not say where the store or a daemon is; a problem with one may name it.
 */
export function createHealth({
  version,
  engines,
  store,
  packages,
  counts,
  now,
}: HealthServices): () => Promise<JsonObject> {
  const startedAt = now();
  let probes: { at: number; healths: Promise<[EngineHealth[], JsonObject]> } | undefined;

  function probeAll(): Promise<[EngineHealth[], JsonObject]> {
    if (!probes || now() - probes.at > PROBE_EVERY_MS) {
      const healths = Promise.all([Promise.all(engines.map(probeOne)), healthOf(packages)]);
      probes = { at: now(), healths };
    }
    return probes.healths;
  }

  return async () => {
    const [[engineHealths, packagesHealth], storeHealth] = await Promise.all([probeAll(), healthOf(store)]);
    const { quarantined, ...numbers } = counts();
    const isOk = engineHealths.some((each) => each.isAvailable) && storeHealth["problem"] === undefined;
    return {
      status: isOk ? "ok" : "degraded",
      service: "dynamic-mcp",
      version,
      node: process.version,
      uptimeSeconds: Math.round((now() - startedAt) / 1000),
      engines: engineHealths.map(publicHealth),
      packages: packagesHealth,
      store: storeHealth,
      counts: { ...numbers, quarantined },
    };
  };
}

/** Where a daemon is, is for the operator: `doctor` tells. */
function publicHealth({ detail, ...health }: EngineHealth): JsonObject {
  const { address: _address, ...facts } = detail ?? {};
  return plain({ ...health, ...(detail && { detail: facts }) });
}

async function probeOne(engine: Pick<ExecutionEngine, "name" | "probe">): Promise<EngineHealth> {
  try {
    return await engine.probe();
  } catch (error) {
    return { name: engine.name, isAvailable: false, level: "none", problem: messageOf(error) };
  }
}

async function healthOf(room: { health(): Promise<object> }): Promise<JsonObject> {
  try {
    const { location: _location, ...health } = plain(await room.health());
    return health;
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Without members that are undefined. */
function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as Record<string, Json>;
}
