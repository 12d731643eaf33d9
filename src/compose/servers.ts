import type { Ambient } from "../config/ambient.ts";
import type { Settings } from "../config/schema.ts";
import { LOCAL } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import type { Logger } from "../core/source.ts";
import { VERSION } from "../core/version.ts";
import { createFleet } from "../fleet/create-fleet.ts";
import { createStoredServers } from "../fleet/create-stored-servers.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { logFolderIn } from "../fleet/log-file.ts";
import type { StoredServers } from "../fleet/stored-servers.ts";
import type { HttpProxies } from "../machine/net/http-pool.ts";
import type { AttachedServers } from "../operations/operations.ts";
import type { Schemas } from "../schemas/schemas.ts";
import type { Store } from "../store/store.ts";
import { createConnect } from "../upstreams/create-connect.ts";
import { createAttachedServers } from "./attached-servers.ts";
import { createDefinitions } from "./definitions.ts";

/** The servers we have, and where they come from. */
export interface Servers {
  fleet: Fleet;
  stored: StoredServers;
  attached: AttachedServers;
  /** Follows the configuration file until it is closed. */
  follow(): void;
  close(): Promise<void>;
}

export interface ServersOptions {
  settings: Settings;
  ambient: Ambient;
  store: Store;
  schemas: Schemas;
  /** A command asks about servers, a server finds out about them by itself. */
  isServing: boolean;
  log: Logger;
  now: () => number;
}

/** Opens no connection and waits for none. */
export async function openServers(options: ServersOptions): Promise<Servers> {
  const { settings, ambient, store, schemas, isServing, log, now } = options;
  const { upstreams, server } = settings;
  const fleet = createFleet({
    connect: createConnect({
      stdio: async () => (await import("../upstreams/stdio/connect-stdio.ts")).connectStdio,
      http: async () => (await import("../upstreams/http/connect-http.ts")).connectHttpThrough(proxiesOf(ambient.env)),
    }),
    lists: store.lists,
    validate: (schema, value) => schemas.validate(schema, value),
    log,
    now,
    random: Math.random,
    client: { name: "dynamic-mcp", version: VERSION },
    isSingleClient: isServing && server.transport === "stdio",
    logFolder: logFolderIn(server.dataDir),
    limits: { messageBytes: upstreams.maxMessageBytes, ...(!isServing && { learners: 0 }) },
  });
  const { maxServers, maxAttached } = upstreams;
  const isReadOnly = settings.authoring.readOnly;
  const stored = createStoredServers({ store, owner: LOCAL.id, maxServers, isReadOnly, log, now });
  const definitions = createDefinitions({ settings, ambient, isServing, log });
  const closers: (() => void)[] = [];
  let isClosed = false;

  function apply(): void {
    const { added, changed, removed } = fleet.apply(definitions.all());
    for (const name of removed) {
      store.lists.remove(name).catch((error: unknown) => log.debug({ err: error, server: name }, "its lists stay"));
    }
    const parts = Object.entries({ added, changed, removed }).filter(([, names]) => names.length > 0);
    if (parts.length === 0) return;
    const text = `servers ${parts.map(([what, names]) => `${what}: ${names.join(", ")}`).join("; ")}`;
    log[isServing ? "info" : "debug"](Object.fromEntries(parts), text);
  }

  async function restart(name: string): Promise<void> {
    const deadline = new Deadline(upstreams.connectTimeoutMs * 2);
    try {
      await fleet.restart(name, deadline);
    } catch (error) {
      log.warn({ err: error, server: name }, "a server that was to be restarted cannot be reached");
    } finally {
      deadline.close();
    }
  }

  try {
    definitions.stored = await stored.list();
  } catch (error) {
    log.warn({ err: error }, "the servers of the store cannot be read now; those of the file are served meanwhile");
  }
  apply();
  await fleet.settled();
  const following = stored.follow({
    onServers(servers) {
      definitions.stored = servers;
      apply();
    },
    onRestart(name) {
      if (isServing && fleet.server(name)) void restart(name);
    },
  });
  closers.push(() => following.close());

  return {
    fleet,
    stored,
    attached: createAttachedServers({ definitions, fleet, most: maxAttached, apply }),

    follow() {
      const initial = definitions.file;
      if (!upstreams.watch || !initial) return;
      // Nothing at the start needs it, and it reads the file once more.
      import("../config/watch-file.ts").then(
        ({ watchConfigFile }) => {
          if (isClosed) return;
          const watch = watchConfigFile({
            initial,
            log,
            onServers(servers) {
              definitions.file = servers;
              apply();
            },
          });
          closers.push(() => watch.close());
        },
        (error: unknown) => log.error({ err: error }, "the configuration file cannot be watched"),
      );
    },

    async close() {
      isClosed = true;
      for (const close of closers) close();
      await fleet.close();
    },
  };
}

/** As programs have always been told of them; in either case, the lower one first. */
function proxiesOf(env: Ambient["env"]): HttpProxies {
  const valueOf = (name: string) => env[name] || env[name.toUpperCase()] || undefined;
  return { http: valueOf("http_proxy"), https: valueOf("https_proxy"), except: valueOf("no_proxy") };
}
