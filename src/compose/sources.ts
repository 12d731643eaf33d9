import { randomUUID } from "node:crypto";
import { createAuthored } from "../authored/create-authored.ts";
import { importOlderTools } from "../authored/import-older.ts";
import type { Settings } from "../config/schema.ts";
import { LOCAL } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import { wireName } from "../core/names.ts";
import type { Logger, Source } from "../core/source.ts";
import { VERSION } from "../core/version.ts";
import { chooseEngine } from "../engines/choose.ts";
import { bundlePackages } from "../engines/bundle.ts";
import { compile } from "../engines/compile.ts";
import { createOperations } from "../operations/create-operations.ts";
import { createResultsSource } from "../journal/create-results-source.ts";
import { offeredBy } from "../operations/profiles.ts";
import { createHealth } from "./health.ts";
import { loadPack } from "../packs/load-pack.ts";
import { createPackSource, type PackSource } from "../packs/pack-source.ts";
import type { Schemas } from "../schemas/schemas.ts";
import type { Store } from "../store/store.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Results } from "../journal/results.ts";
import type { AttachedServers, OperationServices } from "../operations/operations.ts";
import type { Means } from "./means.ts";
import { openShells } from "./shells.ts";

export interface Sources {
  /** In order of precedence of names. */
  sources: readonly Source[];
  close(): Promise<void>;
}

export interface SourcesOptions {
  settings: Settings;
  store: Store;
  schemas: Schemas;
  means: Means;
  fleet: Fleet;
  attached: AttachedServers;
  results: Results;
  /** What a caller may use, once everything is there. */
  surface: Pick<OperationServices, "view" | "finder">;
  log: Logger;
  now: () => number;
}

/** For all examples of one write together. */
const MAX_EXAMPLES_MS = 60_000;
/** For all tools of an older version together. */
const IMPORT_MS = 120_000;
/** Where any image is allowed. */
const FALLBACK_IMAGE = "node:lts-slim";
const HOST_CALLS = { open: 32, total: 1_000 };

/** Floors 3 and 4: everything that lists and runs something. */
export async function openSources(options: SourcesOptions): Promise<Sources> {
  const { settings, store, schemas, means, fleet, log, now } = options;
  const packs: PackSource[] = [];
  const authored = await createAuthored({
    store,
    engines: means.engines.all,
    compile,
    chooseEngine: (needs, by) => chooseEngine(needs, settings.engines.use, means.engines.offersFor(by)),
    packages: means.reach.packages,
    bundle: (task, deadline) => bundlePackages(task, deadline, means.engines.all.quickjs),
    egress: means.reach.egress,
    secrets: means.reach.secrets,
    schemas,
    log,
    now,
    newSeed: randomUUID,
    takenBy: (name) => packs.find((pack) => pack.items("tool", { principal: LOCAL }).some((each) => wireName(each.name) === name))?.name, // prettier-ignore
    settings: {
      isReadOnly: settings.authoring.readOnly,
      maxTools: settings.authoring.maxTools,
      maxTimeoutMs: settings.sandbox.maxTimeoutMs,
      maxExamplesMs: MAX_EXAMPLES_MS,
      memoryMiB: {
        quickjs: settings.engines.memoryMiB,
        docker: settings.sandbox.memoryMiB,
        node: settings.sandbox.memoryMiB,
      },
      defaultImage: settings.sandbox.allowedImages[0] ?? FALLBACK_IMAGE,
      limits: {
        argsBytes: settings.engines.maxArgumentBytes,
        resultBytes: settings.sandbox.maxOutputBytes,
        logBytes: settings.engines.maxLogBytes,
        hostCalls: HOST_CALLS,
      },
    },
  });

  const shells = await openShells(settings, means, now);
  const close = async () => {
    authored.close();
    await Promise.all([shells.close(), ...packs.map((pack) => pack.close())]);
  };
  try {
    for (const path of settings.server.packs) {
      const pack = createPackSource(await loadPack(path, "/"), { log });
      packs.push(pack);
      await pack.open();
    }
  } catch (error) {
    await close();
    throw error;
  }

  const health = createHealth({
    version: VERSION,
    engines: Object.values(means.engines.all),
    use: settings.engines.use,
    store,
    packages: means.reach.packages,
    counts: () => authored.counts(),
    servers: () => fleet.counts(),
    now,
  });
  const operations = createOperations(
    {
      tools: authored.tools,
      runOnce: authored.runOnce,
      shells,
      health,
      now,
      listedName: settings.tools.nameStyle === "dotted" ? (name) => name : wireName,
      ...options.surface,
      fleet,
      results: options.results,
      servers: options.attached,
      isOffered: offeredBy(settings.server.profiles),
      hasLocalTools: () =>
        [authored.source, ...packs].some((each) => each.items("tool", { principal: LOCAL }).length > 0),
    },
    { requiresAdminToken: means.access.requiresAdmin, canAttach: settings.upstreams.attach },
  );
  await takeOver(settings, { store, tools: authored.tools, log, now });
  const sources = [operations, ...packs, authored.source, fleet.source, createResultsSource(options.results)];
  return { sources, close };
}

/** Imports the tools of an older version, once each. A file that cannot be read must not keep the server from starting. */
async function takeOver(settings: Settings, services: Parameters<typeof importOlderTools>[1]): Promise<void> {
  const file = settings.store.importFrom;
  if (file === undefined || settings.authoring.readOnly) return;
  const deadline = new Deadline(IMPORT_MS);
  try {
    await importOlderTools(file, services, { principal: LOCAL.id, deadline });
  } catch (error) {
    services.log.error({ err: error, file }, "the older tools could not be imported; trying again at the next start");
  } finally {
    deadline.close();
  }
}
