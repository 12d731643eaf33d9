import { randomBytes } from "node:crypto";
import { createCalls } from "../calls/create-calls.ts";
import type { Ambient } from "../config/ambient.ts";
import { assertMayListen } from "../config/refuse.ts";
import { secretValues, type Settings } from "../config/schema.ts";
import { LOCAL, type Caller } from "../core/caller.ts";
import { once } from "../core/once.ts";
import type { Logger } from "../core/source.ts";
import { VERSION } from "../core/version.ts";
import { createResults } from "../journal/create-results.ts";
import { listedBy } from "../operations/profiles.ts";
import { createSchemas } from "../schemas/create-schemas.ts";
import { createMcpServer } from "../server/create-server.ts";
import { createSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { createFinder } from "../surface/create-finder.ts";
import { createSurface } from "../surface/create-surface.ts";
import type { Finder } from "../surface/finder.ts";
import { createLog } from "../telemetry/log.ts";
import type { App } from "./app.ts";
import { keepHouse } from "./housekeeping.ts";
import { instructionsFor } from "./instructions.ts";
import { createMeans } from "./means.ts";
import { openServers } from "./servers.ts";
import { openSources } from "./sources.ts";

export interface OpenAppOptions {
  /** What the environment holds besides settings; default: nothing. */
  ambient?: Ambient;
  /** Whether clients will be served; a command only wants something done. Default: yes. */
  isServing?: boolean;
  /** Takes whole lines of our log; default: stderr. */
  log?: (line: string) => void;
  now?: () => number;
}

/**
 * The composition root: builds every room once, from the ground up, and hands each what it needs.
 *
 * @throws STORE_UNAVAILABLE, STORE_DAMAGED, PACK_FAILED; nothing is left open then
 */
export async function openApp(settings: Settings, options: OpenAppOptions = {}): Promise<App> {
  const now = options.now ?? Date.now;
  const write = options.log ?? ((line) => process.stderr.write(line));
  const { ambient = NOTHING, isServing = true } = options;
  const hidden = [...secretValues(settings), ...Object.values(ambient.secrets)];
  const log = createLog(settings.log.level, write, { secrets: hidden });
  // The last one: what could not be closed is in the log, and the process may end right after.
  const closers: { what: string; close: () => unknown }[] = [{ what: "log", close: () => log.flush() }];
  let closing: Promise<void> | undefined;
  const closeAll = () => (closing ??= closeInTurn(closers, log));

  try {
    const store = await createSqliteStore({ dataDir: settings.server.dataDir, log, now });
    closers.unshift({ what: "store", close: () => store.close() });
    const schemas = createSchemas();
    const means = await createMeans({ settings, ambient, store, log, now });
    const { packages, egress, secrets } = means.reach;
    const engines = Object.values(means.engines.all);
    closers.unshift({ what: "packages", close: () => packages.close() });
    closers.unshift({ what: "egress", close: () => egress.close() });
    closers.unshift({ what: "docker", close: () => means.engines.closeDocker() });
    for (const engine of engines) closers.unshift({ what: engine.name, close: () => engine.close() });
    closers.unshift({ what: "journal", close: () => means.journal.close() });

    const servers = await openServers({ settings, ambient, store, schemas, isServing, log, now });
    closers.unshift({ what: "servers", close: () => servers.close() });
    const { fleet, attached } = servers;
    const { limitBytes, ttlSeconds, maxBytes } = settings.results;
    const results = createResults({ store: store.results, log, now, limitBytes, keepMs: ttlSeconds * 1_000, maxBytes });

    // Built-in tools look at what they are a part of: when they are called, it is there.
    const seen = { view: (caller: Caller) => surface.view(caller), finder: lateFinder(() => finder) };
    const { sources, close } = await openSources({ settings, store, schemas, means, fleet, attached, results, surface: seen, log, now }); // prettier-ignore
    closers.unshift({ what: "sources", close });

    const isListed = listedBy(settings.server.profiles);
    const surface = createSurface({
      sources,
      nameStyle: settings.tools.nameStyle,
      exposure: settings.tools.exposure,
      budgetTokens: settings.tools.exposureBudgetTokens,
      isListed: ({ toolset }, _source, exposed, inUse) => isListed(toolset, exposed, inUse),
    });
    const finder = createFinder({
      surface,
      signals: store.signals,
      describeServer: (name) => fleet.server(name)?.description,
      now,
      log,
    });
    closers.unshift({ what: "finder", close: () => finder.close() });
    const calls = createCalls({
      surface,
      guard: means.guard,
      access: means.access,
      validate: (schema, value) => schemas.validate(schema, value),
      record(record) {
        means.journal.record(record);
        finder.observe(record);
      },
      shorten: results.shorten,
      log,
      newId: createCallIds(),
    });
    const server = createMcpServer({
      surface,
      calls,
      channels: store.channels,
      sharedKey: () => store.sharedKey("request-state"),
      identify: (headers) => means.access.identify(headers),
      // Anybody may ask, so it says that and not where.
      isReady: async () => (await store.health()).problem && "the store cannot be used; `doctor` says why",
      log,
      now,
      version: VERSION,
      instructions: (caller) => instructionsFor(surface.view(caller), settings.server.profiles),
      options: {
        host: settings.http.host,
        port: settings.http.port,
        path: settings.http.path,
        sse: settings.http.sse,
        maxBodyBytes: settings.http.maxRequestBytes,
        allowedHosts: settings.http.allowedHosts,
        allowedOrigins: settings.http.allowedOrigins,
        maxChannels: settings.http.maxSessions,
        channelIdleMs: settings.http.sessionTtlSeconds * 1_000,
        pageSize: settings.tools.pageSize,
        callTimeoutMs: settings.tools.callTimeoutMs,
        shutdownGraceMs: settings.server.shutdownGraceMs,
        logsMessages: settings.log.level === "debug",
      },
    });
    // Calls of the server have had their time when it is closed; those of a command end here.
    closers.unshift({ what: "calls", close: () => calls.drain(0) });
    closers.unshift({ what: "server", close: () => server.close(settings.server.shutdownGraceMs) });
    const stopHousekeeping = keepHouse({ store, results, retentionDays: settings.journal.retentionDays, log, now });
    closers.unshift({ what: "housekeeping", close: stopHousekeeping });

    // What a killed server left behind goes when the next one serves, not when its engines are first used.
    const tidy = () => void Promise.all([means.engines.tidy(), means.reach.tidy()]);
    let tidying: NodeJS.Timeout | undefined;
    const beginServing = once(() => {
      tidying = setTimeout(tidy, TIDY_AFTER_MS).unref();
      servers.follow();
      // Whoever initializes asks for the list next: it is put together meanwhile.
      setImmediate(() => void surface.view({ principal: LOCAL }).list("tool"));
    });
    closers.unshift({ what: "tidying", close: () => clearTimeout(tidying) });
    return {
      settings,
      surface,
      store,
      calls,
      engines,
      secrets,
      packages,
      fleet,
      servers: servers.stored,
      serveStdio(input, output) {
        beginServing();
        return server.serveStdio(input, output);
      },
      async listenHttp() {
        assertMayListen(settings);
        beginServing();
        return server.listenHttp();
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** When a start is over. */
const TIDY_AFTER_MS = 1_000;
const NOTHING: Ambient = { env: {}, secrets: {}, npm: {}, homeDir: "" };

/** Unique over processes and restarts; they name calls and open nothing, so they need not be hard to guess. */
function createCallIds(): () => string {
  const prefix = randomBytes(9).toString("base64url");
  let made = 0;
  return () => `${prefix}-${(++made).toString(36)}`;
}

/** A finder that is there when it is first asked. */
function lateFinder(get: () => Finder): Finder {
  return {
    find: (caller, query, options) => get().find(caller, query, options),
    observe: (record) => get().observe(record),
  };
}

/** Newest first. Each is let go of even when one before it fails. */
async function closeInTurn(closers: { what: string; close: () => unknown }[], log: Logger): Promise<void> {
  for (const { what, close } of closers) {
    try {
      await close();
    } catch (error) {
      log.error({ err: error, what }, "could not be closed cleanly");
    }
  }
}
