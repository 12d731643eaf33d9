import type { ToolCounts } from "../authored/authored.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { type EngineSetting, isNeeded } from "../engines/choose.ts";
import type { EngineHealth, ExecutionEngine } from "../engines/engine.ts";
import type { PackageStore } from "../machine/packages/packages.ts";
import type { Store } from "../store/store.ts";

interface Found {
  healths: EngineHealth[];
  packages: JsonObject;
  checkedAt: string;
}

export interface HealthServices {
  version: string;
  engines: readonly Pick<ExecutionEngine, "name" | "probe">[];
  /** The operator's choice of engine: with a certain one, only that counts. */
  use: EngineSetting;
  store: Pick<Store, "health">;
  packages: Pick<PackageStore, "health">;
  counts: () => ToolCounts;
  servers: () => { servers: number; connected: number; down: number };
  /** ms since 1970 */
  now: () => number;
}

/** A probe runs real code: often enough to be true, seldom enough to be cheap. */
const PROBE_EVERY_MS = 30_000;
/** Somebody may be mending what is broken, and wants to see that it is well. */
const PROBE_BROKEN_EVERY_MS = 2_000;

/**
 * What `system.health` says. Counted from the moment this is made.
 *
 * Everybody who can connect may ask, so it does not say where the store or a daemon is; a problem with one may name it.
 */
export function createHealth({
  version,
  engines,
  use,
  store,
  packages,
  counts,
  servers,
  now,
}: HealthServices): () => Promise<JsonObject> {
  const startedAt = now();
  let probes: { at: number; found: Promise<Found> } | undefined;
  let isWell = true;

  async function probeAll(): Promise<Found> {
    const [healths, packagesHealth] = await Promise.all([Promise.all(engines.map(probeOne)), healthOf(packages)]);
    isWell = healths.every((each) => each.isAvailable) && packagesHealth["problem"] === undefined;
    return { healths, packages: packagesHealth, checkedAt: new Date(now()).toISOString() };
  }

  function latest(): Promise<Found> {
    if (!probes || now() - probes.at > (isWell ? PROBE_EVERY_MS : PROBE_BROKEN_EVERY_MS)) {
      probes = { at: now(), found: probeAll() };
    }
    return probes.found;
  }

  return async () => {
    const [found, storeHealth] = await Promise.all([latest(), healthOf(store)]);
    const { quarantined, ...numbers } = counts();
    const { servers: configured, ...others } = servers();
    const isOk =
      found.healths.some((each) => each.isAvailable && isNeeded(each.name, use)) &&
      storeHealth["problem"] === undefined;
    return {
      status: isOk ? "ok" : "degraded",
      service: "dynamic-mcp",
      version,
      node: process.version,
      uptimeSeconds: Math.round((now() - startedAt) / 1000),
      engines: found.healths.map(publicHealth),
      enginesCheckedAt: found.checkedAt,
      packages: found.packages,
      store: storeHealth,
      counts: { ...numbers, quarantined },
      servers: { configured, ...others },
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
